import type { QueueEvent } from './queue-events.ts';
import type { QueueState } from './queue-state.ts';

/**
 * Keeps the account of runner time by author. An author who comes back to the queue starts level with the one who has
 * had least, so that nobody saves up for a burst.
 */
export function fold(state: QueueState, event: QueueEvent): void {
  if (event.kind === 'queued') {
    if (!state.entries.has(event.wish.id)) enter(state, event.wish.author);
  } else if (event.kind === 'left' || event.kind === 'evicted') {
    leave(state, event.id);
  } else if (event.kind === 'landed') {
    for (const id of event.ids) leave(state, id);
  } else if (event.kind === 'start') {
    for (const id of event.about) {
      const account = state.authors.get(state.entries.get(id)?.wish.author ?? '');
      if (account) account.served += 1 / event.about.length;
    }
  }
}

function enter(state: QueueState, author: string): void {
  const account = state.authors.get(author);
  if (account && account.wishes > 0) {
    account.wishes++;
    return;
  }
  const others = [...state.authors.values()].filter((other) => other.wishes > 0);
  const least = others.length > 0 ? Math.min(...others.map((other) => other.served)) : 0;
  state.authors.set(author, { served: Math.max(least, account?.served ?? 0), wishes: 1 });
}

function leave(state: QueueState, id: string): void {
  const author = state.entries.get(id)?.wish.author;
  const account = author === undefined ? undefined : state.authors.get(author);
  if (!account) return;
  account.wishes--;
  if (account.wishes > 0) return;
  // Who owes nothing any more need not be remembered; nobody is left to compare with where all are gone.
  const busy = [...state.authors.values()].some((other) => other.wishes > 0);
  if (!busy) state.authors.clear();
}
