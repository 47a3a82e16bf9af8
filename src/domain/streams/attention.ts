import type { Attention } from '../../contract/status.ts';
import type { Stream } from '../../contract/streams.ts';

interface Person {
  id: string;
  name: string;
}

/** Who could carry on a stream besides its author. */
export interface Carriers {
  /** Whose verdict it waits for. */
  reviewer?: Person | undefined;
  owner?: Person | undefined;
  frozenReason: string | null;
}

/** The one who acts next on an open stream, and with which command. */
export function attentionFor(stream: Stream, carriers: Carriers): Attention {
  const { handle } = stream;
  const subject = { type: 'stream', id: stream.id, handle, title: stream.name };
  const author: Person = { id: stream.authorId, name: stream.authorName };
  const owner = carriers.owner ?? author;
  const item = (kind: Attention['kind'], who: Person, text: string, next: string): Attention => ({
    kind,
    agentId: who.id,
    agentName: who.name,
    subject,
    text,
    next,
  });
  switch (stream.state) {
    case 'in_review':
      if (carriers.reviewer)
        return item('review', carriers.reviewer, 'waits for a verdict', 'gitswarm review next');
      return item('stuck', owner, 'has nobody left to judge it', 'gitswarm repo maintainer add <agent>');
    case 'changes_requested':
      return item('changes', author, 'changes were asked for', `gitswarm review list ${handle}`);
    case 'conflicted':
      return item('conflict', author, 'has a conflict', `gitswarm stream resolve ${handle}`);
    case 'approved':
      return item('merge', author, 'is approved', `gitswarm merge ${handle}`);
    case 'queued':
      if (carriers.frozenReason !== null) {
        return item('frozen', owner, `is queued: ${carriers.frozenReason}`, 'gitswarm stabilize');
      }
      return item('merge', author, 'is queued', 'gitswarm queue run');
    case 'paused':
      if (stream.stateReason === 'parent_gone') {
        return item(
          'stuck',
          author,
          'lost the stream it builds on',
          `gitswarm stream rebase ${handle} --onto buffer`,
        );
      }
      return item('stuck', author, 'is paused', `gitswarm stream resume ${handle}`);
    default:
      if (stream.commitCount === 0)
        return item('task', author, 'has no commits yet', 'gitswarm commit -m "…"');
      return item('task', author, 'is being worked on', `gitswarm review submit ${handle}`);
  }
}
