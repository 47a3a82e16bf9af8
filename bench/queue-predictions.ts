import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStreams, predictAmong, predictConflicts } from '../src/workflows/predict-conflicts.ts';
import { atLeast, median, type Row, timed } from './measure.ts';
import { openProduct, trackBranch } from './product.ts';
import { runQuiet, tryQuiet } from './run-quiet.ts';
import { makeRepository, SMALL } from './synthetic-repository.ts';

const STREAMS = 200;
const SAMPLE = 40;

/** What it costs to know which of 200 open streams clash: all pairs, all once more, and one stream against the rest. */
export async function predictionRows(): Promise<Row[]> {
  const top = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-'));
  const dir = join(top, 'repo.git');
  await makeRepository(dir, SMALL);
  const { app, workflow } = await openProduct(dir);
  try {
    for (let i = 0; i < STREAMS; i++) await trackBranch(workflow, `s${i}`);
    const streams = await openStreams(workflow);
    const perPair = await processForPair(
      dir,
      streams.map(({ head }) => head),
    );
    let clashes = 0;
    const all = await timed(async () => {
      clashes = (await predictAmong(workflow, streams)).length;
    });
    const again = await timed(() => predictAmong(workflow, streams));
    const one: number[] = [];
    for (const { id, head, baseCommit } of streams.slice(0, 9)) {
      one.push(await timed(() => predictConflicts(workflow, { streamId: id, head, base: baseCommit })));
    }
    const pairs = (STREAMS * (STREAMS - 1)) / 2;
    const measured = `${all.toFixed(0)} / ${again.toFixed(0)} / ${median(one).toFixed(0)} ms`;
    return [
      atLeast(
        `all ${pairs} pairs (${clashes} clash) against a process for each`,
        (perPair * pairs) / all,
        30,
      ),
      { what: 'all, all once more, one stream against 199', measured, target: '', holds: undefined },
    ];
  } finally {
    await app.close();
    rmSync(top, { recursive: true, force: true });
  }
}

async function processForPair(dir: string, heads: string[]): Promise<number> {
  await runQuiet('git', ['-C', dir, 'rev-parse', 'main']);
  const ask = (i: number) => [heads[i] ?? '', heads[(i * 7 + 11) % heads.length] ?? ''];
  const total = await timed(async () => {
    for (let i = 0; i < SAMPLE; i++)
      await tryQuiet('git', ['-C', dir, 'merge-tree', '--write-tree', ...ask(i)]);
  });
  return total / SAMPLE;
}
