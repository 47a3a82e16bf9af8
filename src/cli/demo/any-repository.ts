import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cast, untilBothHaveBegun } from './cast.ts';

const FOLDER = 'gitswarm-demo';

const CHECK = `import { readdirSync, readFileSync } from 'node:fs'
const folder = new URL('.', import.meta.url)
for (const name of readdirSync(folder)) {
  if (!name.endsWith('.txt') || !readFileSync(new URL(name, folder), 'utf8').includes('broken')) continue
  process.stdout.write('not ok: ' + name + ' is broken\\n')
  process.exitCode = 1
}
`;

/** Files of its own for the demo, so that its agents leave those of the repository alone. */
export function prepareRepository(dir: string): void {
  mkdirSync(join(dir, FOLDER), { recursive: true });
  writeFileSync(join(dir, FOLDER, 'check.mjs'), CHECK);
  writeFileSync(join(dir, FOLDER, 'list.txt'), 'first\nlast\n');
}

export function anyCast(origin: string): Cast {
  const list = `${FOLDER}/list.txt`;
  const write = (name: string, content: string) => ({ write: { path: `${FOLDER}/${name}.txt`, content } });
  const insert = (line: string) => ({ replace: { path: list, find: 'first\n', with: `first\n${line}\n` } });
  const resolved = [{ steps: [{ write: { path: list, content: 'first\none\ntwo\nlast\n' } }] }];
  return {
    about: `a clone of ${origin}; its agents only touch ${FOLDER}/`,
    tests: `node ${FOLDER}/check.mjs`,
    clash: [
      {
        title: 'Add one to the list',
        scripts: [{ steps: [untilBothHaveBegun, insert('one')] }, ...resolved],
      },
      {
        title: 'Add two to the list',
        scripts: [{ steps: [untilBothHaveBegun, insert('two')] }, ...resolved],
      },
    ],
    parent: {
      title: 'Write the base',
      first: { says: `writes ${FOLDER}/base.txt`, steps: [write('base', 'a beginning\n')] },
      later: { says: `goes on with ${FOLDER}/base.txt`, steps: [write('base', 'a beginning\nand more\n')] },
    },
    child: {
      title: 'Build on the base',
      edit: { says: `writes ${FOLDER}/above.txt`, steps: [write('above', 'on top\n')] },
    },
    broken: {
      title: 'Add something fragile',
      edit: {
        says: `writes ${FOLDER}/fragile.txt, and breaks the check`,
        steps: [write('fragile', 'broken\n')],
      },
      mend: { says: `mends ${FOLDER}/fragile.txt`, steps: [write('fragile', 'whole\n')] },
    },
  };
}
