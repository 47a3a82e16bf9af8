import * as z from 'zod';
import { Ref } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Stream } from './streams.ts';

/** Asked before files of a stream are changed where its clone is: may this author do so now? Answers the stream. */
export const editStream = endpoint('stream.edit', () => ({
  method: 'POST',
  path: '/streams/:stream/edit',
  input: z.object({ stream: Ref }),
  output: Stream,
  internal: 'clone',
  isRead: true,
}));
