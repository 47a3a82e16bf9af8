import { createInterface } from 'node:readline/promises';
import { plainLine } from '../base/plain-text.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Session } from './session.ts';

/** Yes by --yes, else the person at the terminal is asked, on stderr; without one it is a usage error. */
export async function confirm(session: Session, question: string): Promise<boolean> {
  if (session.flags.yes) return true;
  if (!session.isInteractive) {
    throw new SwarmError('usage', `This asks first: ${plainLine(question)}`, { fix: 'Add --yes.' });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${plainLine(question)} [y/N] `, { signal: session.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
