import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { benchCascade } from './engine-cascade.ts';
import { benchCommands } from './engine-commands.ts';
import { benchMerge } from './engine-merge.ts';
import { benchPairs } from './engine-pairs.ts';
import { benchWorkspaces } from './engine-workspaces.ts';
import { printRows } from './measure.ts';
import { cloneWithStreams } from './real-repository.ts';
import { runQuiet } from './run-quiet.ts';
import { LARGE, makeRepository, type Shape, SMALL } from './synthetic-repository.ts';

/**
 * `npm run bench [-- S|L|own …]`: the engine against plain git, as ratios of one run, on a small and a large made-up
 * repository and on a real one (this checkout, or GITSWARM_BENCH_REPO). Every engine works on a copy of its own, so that
 * no one finds objects another has written; the trees that come out are compared.
 */
const wanted = process.argv.slice(2).filter((each) => !each.startsWith('-'));
const top = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-'));
const git = (await runQuiet('git', ['version'])).trim();
console.log(`${git}, node ${process.versions.node}, ${cpus().length} cores, ${top}`);

try {
  for (const shape of [SMALL, LARGE]) {
    if (wanted.length > 0 && !wanted.includes(shape.name)) continue;
    const source = join(top, `${shape.name}.git`);
    await makeRepository(source, shape);
    await benchShape(shape, source);
  }
  if (wanted.length === 0 || wanted.includes('own')) {
    const source = join(top, 'own.git');
    const real = process.env.GITSWARM_BENCH_REPO ?? resolve(import.meta.dirname, '..');
    await benchEngine(await cloneWithStreams(real, source, 'own'), copiesOf(source));
  }
} finally {
  rmSync(top, { recursive: true, force: true });
}

/** Makes a fresh copy of a repository each time it is asked. */
function copiesOf(source: string): () => Promise<string> {
  let copies = 0;
  return async () => {
    const path = source.replace(/\.git$/, `-${copies++}.git`);
    cpSync(source, path, { recursive: true });
    return path;
  };
}

async function benchEngine(shape: Shape, copy: () => Promise<string>): Promise<void> {
  const title = `${shape.name}: ${shape.files} files`;
  printRows(`${title}, merge, train, revert`, await benchMerge(shape, copy));
  printRows(`${title}, cascade`, await benchCascade(shape, copy));
  printRows(`${title}, conflict answers for all pairs`, await benchPairs(copy));
}

async function benchShape(shape: Shape, source: string): Promise<void> {
  const copy = copiesOf(source);
  const title = `${shape.name}: ${shape.files} files`;
  await benchEngine(shape, copy);
  printRows(`${title}, commands as processes`, await benchCommands(shape, copy));
  printRows(`${title}, workspaces`, await benchWorkspaces(shape, copy));
}
