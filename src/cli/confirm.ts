import { createInterface } from 'node:readline';
import { plain, plainLine } from '../base/plain-text.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Session } from './session.ts';

/** Yes by --yes, else the person at the terminal is asked, on stderr; without one it is a usage error. */
export async function confirm(session: Session, question: string): Promise<boolean> {
  if (session.flags.yes) return true;
  if (canAsk(session)) return askYesNo(session, plainLine(question), false);
  throw new SwarmError('usage', `This asks first: ${plainLine(question)}`, { fix: 'Add --yes.' });
}

/** A person sits there and sees what is asked. */
export function canAsk(session: Session): boolean {
  return session.isInteractive && process.stderr.isTTY === true;
}

/**
 * Asks at the terminal; the question may have several lines. Return takes the answer that is offered, the end of input
 * is a no, Ctrl-C ends the command.
 */
export function askYesNo(session: Session, question: string, offered: boolean): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  let isAnswered = false;
  return new Promise<boolean>((resolve, reject) => {
    const interrupted = () => reject(new SwarmError('interrupted', 'Interrupted.'));
    lines.once('SIGINT', interrupted);
    session.signal.addEventListener('abort', interrupted, { once: true });
    lines.once('close', () => resolve(false));
    lines.question(`${plain(question)} ${offered ? '[Y/n]' : '[y/N]'} `, (answer) => {
      isAnswered = true;
      const said = answer.trim();
      resolve(said === '' ? offered : /^y(es)?$/i.test(said));
    });
  }).finally(() => {
    lines.close();
    if (!isAnswered) process.stderr.write('\n'); // what follows begins on a line of its own
  });
}
