import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchCascade } from './engine-cascade.ts';
import { benchCommands } from './engine-commands.ts';
import { benchMerge } from './engine-merge.ts';
import { benchPairs } from './engine-pairs.ts';
import { benchWorkspaces } from './engine-workspaces.ts';
import { printRows } from './measure.ts';
import { runQuiet } from './run-quiet.ts';
import { LARGE, makeRepository, type Shape, SMALL } from './synthetic-repository.ts';

/**
 * `npm run bench [-- S|L|own …]`: the engine against plain git, as ratios of one run. Every engine works on a copy of
 * its own, so that no one finds objects another has written; the trees that come out are compared.
 */
const wanted = process.argv.slice(2).filter((each) => !each.startsWith('-'));
const top = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-'));
const git = (await runQuiet('git', ['version'])).trim();
console.log(`${git}, node ${process.versions.node}, ${cpus().length} cores, ${top}`);

try {
  for (const shape of [SMALL, LARGE]) {
    if (wanted.length > 0 && !wanted.includes(shape.name)) continue;
    await benchShape(shape);
  }
} finally {
  rmSync(top, { recursive: true, force: true });
}

async function benchShape(shape: Shape): Promise<void> {
  const source = join(top, `${shape.name}.git`);
  await makeRepository(source, shape);
  let copies = 0;
  const copy = async () => {
    const path = join(top, `${shape.name}-${copies++}.git`);
    cpSync(source, path, { recursive: true });
    return path;
  };
  const title = `${shape.name}: ${shape.files} files`;
  printRows(`${title}, merge, train, revert`, await benchMerge(shape, copy));
  printRows(`${title}, cascade`, await benchCascade(shape, copy));
  printRows(`${title}, conflict answers for all pairs`, await benchPairs(copy));
  printRows(`${title}, commands as processes`, await benchCommands(shape, copy));
  printRows(`${title}, workspaces`, await benchWorkspaces(shape, copy));
}
