import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const PREFIX = 'making-';
/** No clone takes so long: git is ended long before. */
const LONGEST_MS = 3_600_000;

/** A place beside the clones of a server for one that is not complete yet. */
export function halfMadePlace(repos: string): string {
  return join(repos, `${PREFIX}${randomUUID()}.git`);
}

/** Removes what servers that died while they made a clone have left; nothing names it. */
export function removeHalfMade(repos: string, now: number): void {
  for (const name of readdirSync(repos)) {
    if (!name.startsWith(PREFIX)) continue;
    const place = join(repos, name);
    const since = statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (now - since > LONGEST_MS) rmSync(place, { recursive: true, force: true });
  }
}
