import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { readRefFile } from './ref-files.ts';

test('whatever was created, moved, packed and deleted, a ref reads as git reads it', () => {
  const names = ['refs/heads/a', 'refs/heads/a/b', 'refs/heads/ab', 'refs/tags/a', 'refs/gitswarm/x/y'];
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set'), ref: fc.constantFrom(...names), to: fc.constantFrom(0, 1, 2) }),
    fc.record({ kind: fc.constant('delete'), ref: fc.constantFrom(...names), to: fc.constant(0) }),
    fc.record({ kind: fc.constant('pack'), ref: fc.constant(''), to: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      const fixture = gitFixture();
      const commits = ['1', '2', '3'].map((text) => fixture.commit(text, { a: text }));
      for (const { kind, ref, to } of steps) {
        if (kind === 'pack') fixture.git('pack-refs', '--all');
        else if (kind === 'delete') fixture.tryGit(fixture.dir, 'update-ref', '-d', ref);
        else if (!conflicts(fixture.git('for-each-ref', '--format=%(refname)').split('\n'), ref))
          fixture.git('update-ref', ref, commits[to] ?? '');
      }
      const real = new Map(
        fixture
          .git('for-each-ref', '--format=%(refname) %(objectname)')
          .split('\n')
          .map((line) => line.split(' ') as [string, string]),
      );
      for (const ref of names) {
        const oid = real.get(ref);
        const read = readRefFile(join(fixture.dir, '.git'), ref);
        expect(read).toEqual(oid === undefined ? { kind: 'none' } : { kind: 'oid', oid });
      }
    }),
    { numRuns: 12 },
  );
});

/** A branch cannot be a directory of branches as well. */
function conflicts(refs: string[], ref: string): boolean {
  return refs.some((other) => other.startsWith(`${ref}/`) || ref.startsWith(`${other}/`));
}

test('a ref that points to another, or holds no id, is for git', () => {
  const fixture = gitFixture();
  fixture.commit('1', { a: '1' });
  fixture.git('symbolic-ref', 'refs/heads/alias', 'refs/heads/main');
  writeFileSync(join(fixture.dir, '.git/refs/heads/broken'), 'what\n');
  for (const ref of ['refs/heads/alias', 'refs/heads/broken', 'HEAD', 'refs/bisect/bad'])
    expect(readRefFile(join(fixture.dir, '.git'), ref)).toEqual({ kind: 'ask' });
});
