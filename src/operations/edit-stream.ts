import { editStream } from '../contract/edit-stream.ts';
import { acceptsCommits, refuseState } from '../domain/streams/stream-states.ts';
import { handleOfStream, stateOf, toStream } from '../domain/streams/streams-store.ts';
import { query } from './operation.ts';

/** Files are kept beside the stream until they are committed, so what commits may be refused for is asked before. */
export const mayEdit = query(editStream, {
  on: 'stream',
  needs: 'author',
  async run({ db, stream }) {
    if (!acceptsCommits(stateOf(stream))) refuseState(handleOfStream(stream), stateOf(stream), 'take files');
    return toStream(db, stream);
  },
});
