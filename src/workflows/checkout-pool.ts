import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import picomatch from 'picomatch';
import { isoTime } from '../base/clock.ts';
import { runGit } from '../git/run-git.ts';
import {
  type Checkout,
  deleteCheckout,
  giveBackCheckout,
  insertCheckout,
  takeCheckout,
} from '../machine/checkouts.ts';
import { withLock } from '../machine/locks.ts';
import { endStraysIn } from '../sandbox/end-strays.ts';
import type { Workflow } from './workflow.ts';

/**
 * Runs `work` in a directory that holds exactly this commit, and gives the directory back for the next run. Files that
 * git ignores stay from run to run, so that installed dependencies need not be installed again.
 */
export async function withCheckout<T>(
  workflow: Workflow,
  commit: string,
  work: (directory: string, checkout: Checkout) => Promise<T>,
): Promise<T> {
  const at = isoTime(workflow.clock.now());
  const taken = takeCheckout(workflow.machine, { oid: commit, setupHash: null, at });
  const checkout = taken ?? insertCheckout(workflow.machine, { path: freshPath(workflow), at });
  let setupHash = checkout.setup_hash;
  let oid: string | null = null;
  try {
    if (checkout.oid === null && existsSync(checkout.path)) endStraysIn(realpathSync(checkout.path));
    await bringTo(workflow, checkout, commit);
    oid = commit;
    const result = await work(checkout.path, checkout);
    setupHash = checkout.setup_hash;
    return result;
  } finally {
    const after = isoTime(workflow.clock.now());
    giveBackCheckout(workflow.machine, checkout.id, { oid, setupHash, at: after });
  }
}

function freshPath(workflow: Workflow): string {
  const base = join(workflow.home, 'local', 'checkouts');
  mkdirSync(base, { recursive: true });
  return join(base, `run-${workflow.holder.split(' ')[0]}-${Math.random().toString(36).slice(2, 10)}`);
}

/** Makes the directory hold the commit: tracked files as committed, untracked ones gone, ignored ones left. */
async function bringTo(workflow: Workflow, checkout: Checkout, commit: string): Promise<void> {
  const { git } = workflow;
  if (existsSync(join(checkout.path, '.git'))) {
    const place = { dir: checkout.path, env: git.env };
    await runGit(place, ['reset', '--hard', '--quiet', commit]);
    await runGit(place, ['clean', '-fdq']);
    return;
  }
  rmSync(checkout.path, { recursive: true, force: true });
  await withLock(workflow.home, 'worktrees', async () => {
    await runGit(git, ['worktree', 'prune']);
    await runGit(git, ['worktree', 'add', '--quiet', '--detach', '--no-checkout', checkout.path, commit]);
  });
  workflow.reach('checkout.registered');
  await runGit({ dir: checkout.path, env: git.env }, ['read-tree', '-m', '-u', commit]);
}

/** Takes a checkout out of the pool and off the disk. */
export async function removeCheckout(
  workflow: Workflow,
  checkout: Pick<Checkout, 'id' | 'path'>,
): Promise<void> {
  await withLock(workflow.home, 'worktrees', async () => {
    rmSync(checkout.path, { recursive: true, force: true });
    await runGit(workflow.git, ['worktree', 'prune']);
  });
  deleteCheckout(workflow.machine, checkout.id);
}

const MOST_COPIED = 2000;

/**
 * Copies the ignored files that `workspace.copy` names (`.env`, a cache) from the first worktree into another directory.
 * Patterns are globs below the root; links are not followed and nothing that is there is overwritten.
 */
export function copyIgnored(workflow: Workflow, into: string): string[] {
  const patterns = workflow.repo.config.workspace.copy;
  if (patterns.length === 0 || workflow.git.isBare) return [];
  const matches = picomatch(patterns, { dot: true });
  const copied: string[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(workflow.git.root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === '.git' || path === '.gitswarm' || path === '.worktrees') continue;
      if (entry.isDirectory()) {
        if (
          patterns.some(
            (pattern) => pattern.startsWith(`${path}/`) || pattern.includes('**') || matches(path),
          )
        )
          visit(path);
        continue;
      }
      const wanted =
        matches(path) || patterns.some((pattern) => path.startsWith(`${pattern.replace(/\/$/, '')}/`));
      if (!entry.isFile() || !wanted || copied.length >= MOST_COPIED) continue;
      const target = join(into, path);
      if (existsSync(target)) continue;
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(workflow.git.root, path), target);
      copied.push(path);
    }
  };
  if (statSync(workflow.git.root, { throwIfNoEntry: false })) visit('');
  return copied;
}
