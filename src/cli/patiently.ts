import { setTimeout as pause } from 'node:timers/promises';
import { AuthorityAway } from '../contract/authority-away.ts';
import type { Session } from './session.ts';

const AGAIN_AFTER_MS = 1000;

/**
 * What whoever watches has asked for, also after the server that decides was away: that is said once, and it is asked
 * until there is an answer. Undefined where the watching ends meanwhile.
 */
export async function patiently<T>(session: Session, ask: () => Promise<T>): Promise<T | undefined> {
  for (let isTold = false; !session.signal.aborted; isTold = true) {
    try {
      const answer = await ask();
      if (isTold) session.output.note('the server is back');
      return answer;
    } catch (error) {
      if (!(error instanceof AuthorityAway)) throw error;
      if (!isTold) session.output.note(`${error.message} It is watched again when it is back.`);
      await pause(AGAIN_AFTER_MS, undefined, { signal: session.signal }).catch(() => undefined);
    }
  }
  return undefined;
}
