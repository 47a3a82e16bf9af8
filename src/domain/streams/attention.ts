import type { Attention } from '../../contract/status.ts';
import type { Stream, StreamState } from '../../contract/streams.ts';

interface Person {
  id: string;
  name: string;
}

/** What decides who carries a stream on. */
export interface Carriers {
  /** The stream's state by the consensus there is now: an approval that is stored may have been lost since. */
  state: StreamState;
  /** The first of its authors who may still work here. */
  author?: Person | undefined;
  /** Whose verdict it waits for. */
  reviewer?: Person | undefined;
  /** Who may have it landed, where that is not for its author. */
  performer?: Person | undefined;
  owner?: Person | undefined;
  /** Handle of the stream it builds on, where that has neither landed nor is about to. */
  waitsForParent?: string | undefined;
  /** Why nothing lands that is queued, with what ends it. */
  held: { kind: 'paused' | 'frozen_by_red' | 'frozen_by_hand'; reason: string } | null;
}

/** The one who acts next on an open stream, and with which command. Nobody is named who may not do it. */
export function attentionFor(stream: Stream, carriers: Carriers): Attention {
  const { handle } = stream;
  const subject = { type: 'stream', id: stream.id, handle, title: stream.name };
  const { author, held } = carriers;
  const owner = carriers.owner ?? author ?? { id: stream.authorId, name: stream.authorName };
  /** What an author does, an owner may do as well. */
  const carrier = author ?? owner;
  const performer = carriers.performer ?? carrier;
  const item = (kind: Attention['kind'], who: Person, text: string, next: string): Attention => ({
    kind,
    agentId: who.id,
    agentName: who.name,
    subject,
    text,
    next,
  });
  /** Nobody goes on with another's work: it is given up, or its author comes back. */
  const left = () =>
    item('stuck', owner, 'is left by an author who may not work here', `gitswarm stream abandon ${handle}`);
  switch (carriers.state) {
    case 'in_review':
      if (carriers.reviewer)
        return item('review', carriers.reviewer, 'waits for a verdict', 'gitswarm review next');
      return item('stuck', owner, 'has nobody left to judge it', 'gitswarm repo maintainer add <agent>');
    case 'changes_requested':
      if (!author) return left();
      return item('changes', author, 'changes were asked for', `gitswarm review list ${handle}`);
    case 'conflicted':
      return item('conflict', carrier, 'has a conflict', `gitswarm stream resolve ${handle}`);
    case 'approved': {
      const parent = carriers.waitsForParent;
      if (parent)
        return item(
          'stuck',
          carrier,
          `is approved, and waits for ${parent} to land`,
          `gitswarm stream show ${parent}`,
        );
      return item('merge', performer, 'is approved', `gitswarm merge ${handle}`);
    }
    case 'queued':
      if (held) return item('frozen', owner, `is queued: ${held.reason}`, ENDS[held.kind]);
      return item('merge', performer, 'is queued', 'gitswarm queue run');
    case 'paused':
      if (stream.stateReason === 'parent_gone') {
        return item(
          'stuck',
          carrier,
          'lost the stream it builds on',
          `gitswarm stream rebase ${handle} --onto buffer`,
        );
      }
      return item('stuck', carrier, 'is paused', `gitswarm stream resume ${handle}`);
    default:
      if (!author) return left();
      if (stream.commitCount === 0)
        return item('task', author, 'has no commits yet', 'gitswarm commit -m "…"');
      return item('task', author, 'is being worked on', `gitswarm review submit ${handle}`);
  }
}

const ENDS = {
  paused: 'gitswarm queue resume',
  frozen_by_red: 'gitswarm stabilize',
  frozen_by_hand: 'gitswarm queue unfreeze',
};
