import type { Stream } from '../contract/streams.ts';
import { cleanStreams } from '../workflows/hosted/clean-streams.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { Face } from './face.ts';

/** Takes away what a stream that has landed leaves behind, without letting anybody wait; the next round finds the rest. */
export function cleanSoon(face: Face, workflow: Workflow, stream: Stream): void {
  if (stream.state !== 'merged') return;
  face.inBackground(async () => {
    await cleanStreams(workflow, { stream: stream.id });
  });
}
