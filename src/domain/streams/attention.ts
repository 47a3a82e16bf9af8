import type { Attention } from '../../contract/status.ts';
import type { Stream } from '../../contract/streams.ts';

/** Who must act next on a stream that waits, and with which command. */
export function attentionFor(stream: Stream): Attention {
  const subject = { type: 'stream', id: stream.id, handle: stream.handle, title: stream.name };
  const author = { agentId: stream.authorId, agentName: stream.authorName, subject };
  const { handle } = stream;
  switch (stream.state) {
    case 'in_review':
      return {
        kind: 'review',
        agentId: null,
        agentName: null,
        subject,
        text: 'waits for a verdict',
        next: `gitswarm review next`,
      };
    case 'changes_requested':
      return {
        kind: 'changes',
        ...author,
        text: 'changes were asked for',
        next: `gitswarm review list ${handle}`,
      };
    case 'conflicted':
      return {
        kind: 'conflict',
        ...author,
        text: 'has a conflict',
        next: `gitswarm stream resolve ${handle}`,
      };
    case 'approved':
      return { kind: 'merge', ...author, text: 'is approved', next: `gitswarm merge ${handle}` };
    default:
      return {
        kind: 'stuck',
        ...author,
        text: stream.stateReason === 'parent_gone' ? 'lost the stream it builds on' : 'is paused',
        next:
          stream.stateReason === 'parent_gone'
            ? `gitswarm stream rebase ${handle} --onto buffer`
            : `gitswarm stream resume ${handle}`,
      };
  }
}
