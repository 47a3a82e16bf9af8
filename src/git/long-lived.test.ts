import { spawn } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtureEnv, gitFixture } from '../../test/support/git-fixture.ts';
import { mergeTrees } from './merge.ts';
import { findRef, resolveCommit, updateRefs } from './refs.ts';
import { addWorktree } from './worktrees.ts';

/** The helper processes of ours that work for this repository. */
function helpers(top: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
        return Number(parent) === process.pid && readlinkSync(`/proc/${name}/cwd`).startsWith(top);
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe('helper processes', () => {
  test.skipIf(process.platform !== 'linux')('that are killed are replaced', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1' });
    const ours = fixture.commit('ours', { b: '1' });
    fixture.branchFrom('side', base);
    const theirs = fixture.commit('theirs', { c: '1' });
    const repo = await fixture.open({ longLived: true });
    const ref = 'refs/heads/moving';
    const expected = await mergeTrees(repo, [{ ours, theirs }]);
    expect(await updateRefs(repo, [{ ref, old: null, new: base }], 'x')).toEqual({ kind: 'moved' });
    for (const [old, to] of [
      [base, ours],
      [ours, theirs],
    ] as const) {
      // Only git knows what is behind this name.
      expect(await resolveCommit(repo, 'side~1')).toBe(base);
      const running = helpers(fixture.top);
      expect(running).toHaveLength(3);
      for (const pid of running) process.kill(pid, 'SIGKILL');
      const [answers, moved] = await Promise.all([
        mergeTrees(repo, [
          { ours, theirs },
          { ours: theirs, theirs: ours },
        ]),
        updateRefs(repo, [{ ref, old, new: to }], 'x'),
      ]);
      expect(answers[0]).toEqual(expected[0]);
      expect(answers).toHaveLength(2);
      expect(moved).toEqual({ kind: 'moved' });
      expect(await findRef(repo, ref)).toBe(to);
    }
    expect(repo.merger.converses).toBe(true);
  });

  test('do not keep a program alive that forgot to close them', async () => {
    const fixture = gitFixture();
    const base = fixture.commit('base', { a: '1' });
    const ours = fixture.commit('ours', { b: '1' });
    const file = (name: string) => new URL(name, import.meta.url).pathname;
    const script = `
      import { openRepository } from '${file('./repository.ts')}';
      import { mergeTrees } from '${file('./merge.ts')}';
      import { updateRefs } from '${file('./refs.ts')}';
      const [dir, ours, theirs] = process.argv.slice(1);
      const repo = await openRepository(dir, { inheritedEnv: process.env, longLived: true });
      await mergeTrees(repo, [{ ours, theirs }]);
      await updateRefs(repo, [{ ref: 'refs/heads/x', old: null, new: ours }], 'x');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, fixture.dir, ours, base], {
      env: fixtureEnv,
      stdio: 'inherit',
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(fixture.oid('x')).toBe(ours);
  });
});

test('hooks of the repository have no say in our plumbing', async () => {
  const fixture = gitFixture();
  const oid = fixture.commit('base', { a: '1' });
  for (const hook of ['reference-transaction', 'post-checkout', 'post-index-change']) {
    fixture.write({ [`.git/hooks/${hook}`]: '#!/bin/sh\nexit 1\n' });
    chmodSync(join(fixture.dir, '.git/hooks', hook), 0o755);
  }
  for (const longLived of [false, true]) {
    const repo = await fixture.open({ longLived });
    const ref = `refs/heads/x-${longLived}`;
    expect(await updateRefs(repo, [{ ref, old: null, new: oid }], 'x')).toEqual({ kind: 'moved' });
    await addWorktree(repo, { path: join(fixture.top, `w-${longLived}`), branch: `w-${longLived}`, oid });
  }
});
