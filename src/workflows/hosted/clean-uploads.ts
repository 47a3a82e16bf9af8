import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { INCOMING } from '../../git/take-pack.ts';
import type { Workflow } from '../workflow.ts';

/** No upload takes as long. */
const LEFT_MS = 86_400_000;

/** Where the bytes of uploads are while they are looked at. */
export function uploadsOf({ home }: Pick<Workflow, 'home'>): string {
  return join(home, 'uploads');
}

/** Removes what uploads have left whose server died. */
export async function cleanUploads(workflow: Pick<Workflow, 'home' | 'git' | 'clock'>): Promise<void> {
  const before = workflow.clock.now() - LEFT_MS;
  await removeOld(uploadsOf(workflow), '', before);
  await removeOld(workflow.git.objectsDir, INCOMING, before);
}

async function removeOld(directory: string, prefix: string, before: number): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found && found.mtimeMs < before) await rm(path, { recursive: true, force: true });
  }
}
