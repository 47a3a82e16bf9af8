import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gitFixture } from '../../test/support/git-fixture.ts';

test('the attributes found by comparing trees are those of the whole tree, whatever changed between', async () => {
  const names = [
    '.gitattributes',
    'd/.gitattributes',
    'd/e/.gitattributes',
    'f',
    'd/f',
    'd/e/f',
    'd2/f',
    'x/y/.gitattributes',
  ];
  const files = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('* text\n', '* -text\n'), {
    maxKeys: 8,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(files, { minLength: 2, maxLength: 5 }), async (trees) => {
      const fixture = gitFixture();
      const walking = await fixture.open();
      const views = new Map<string, string>();
      for (const [i, each] of trees.entries()) {
        fixture.git('rm', '-rfq', '--ignore-unmatch', '.');
        fixture.commit(`${i}`, { ...each });
        const attributes = Object.entries(each).filter(([name]) => name.endsWith('.gitattributes'));
        const view = await walking.attributes.directoryFor(fixture.tree('HEAD'));
        const key = JSON.stringify(attributes.toSorted());
        // One directory for each set of attributes, and never one for two sets.
        expect(views.get(key) ?? view).toBe(view);
        for (const [other, directory] of views) if (other !== key) expect(directory).not.toBe(view);
        views.set(key, view);
      }
    }),
    { numRuns: 15 },
  );
});
