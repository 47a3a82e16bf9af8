import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bareRepository } from '../../test/support/bare-repository.ts';
import { editTree, findEntry } from './edit-tree.ts';
import { writeBlob } from './objects.ts';
import { emptyTree } from './oid.ts';
import { runGit } from './run-git.ts';
import { listTreeFiles } from './tree-files.ts';

const path = fc
  .array(fc.constantFrom('a', 'b', 'a.b', 'a-b', 'ab', 'ü'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));
const edits = fc.array(fc.record({ path, content: fc.option(fc.string({ maxLength: 8 })) }), {
  maxLength: 12,
});

it('makes trees that git finds sound, holding exactly what was written and not taken away', async () => {
  const repo = await bareRepository();
  await fc.assert(
    fc.asyncProperty(edits, async (wanted) => {
      let tree = emptyTree(repo.objectFormat);
      const files = new Map<string, string>();
      for (const { path, content } of wanted) {
        const oid = content === null ? undefined : await writeBlob(repo, content);
        const entry = oid === undefined ? null : { mode: '100644', oid };
        const blocked = [...files.keys()].some(
          (each) => each.startsWith(`${path}/`) || path.startsWith(`${each}/`),
        );
        const edited = editTree(repo, tree, [{ path, entry }]);
        if (blocked && entry) await expect(edited).rejects.toMatchObject({ code: 'conflict' });
        else tree = await edited;
        if (!blocked && oid !== undefined) files.set(path, oid);
        if (oid === undefined) files.delete(path);
      }
      if (files.size === 0) {
        expect(tree).toBe(emptyTree(repo.objectFormat));
        return;
      }
      const found = await listTreeFiles(repo, tree);
      expect(new Map(found.map((file) => [file.path, file.oid]))).toEqual(files);
      for (const [name, oid] of files) expect((await findEntry(repo, tree, name))?.oid).toBe(oid);
    }),
    { numRuns: 40 },
  );
  await runGit(repo, ['fsck', '--strict', '--no-dangling']);
});

it('writes nothing outside the tree', async () => {
  const repo = await bareRepository();
  const oid = await writeBlob(repo, 'x');
  for (const path of ['../x', '.git/config', '/etc/passwd', 'a/../../x', 'a//b'])
    await expect(
      editTree(repo, emptyTree('sha1'), [{ path, entry: { mode: '100644', oid } }]),
    ).rejects.toMatchObject({
      code: 'invalid',
    });
});
