import { readCommit } from '../src/git/commits.ts';
import { mergeTrees } from '../src/git/merge.ts';
import { openRepository } from '../src/git/repository.ts';
import { withScratchObjects } from '../src/git/scratch-objects.ts';
import { changesBetween, meetingPairs, touchedBy } from '../src/git/touched.ts';
import { atLeast, type Row, timed } from './measure.ts';
import { GIT_ENV, runQuiet, tryQuiet } from './run-quiet.ts';

const STREAMS = 200;

/** Which of 200 streams clash with each other: a process for each pair against the filter by paths and one process. */
export async function benchPairs(copy: () => Promise<string>): Promise<Row[]> {
  const bare = await copy();
  const names = Array.from({ length: STREAMS }, (_, i) => `s${i}`);
  const heads = (await runQuiet('git', ['-C', bare, 'rev-parse', ...names])).trim().split('\n');
  const sample = 40;
  const perPair =
    (await timed(async () => {
      for (let i = 0; i < sample; i++) {
        await tryQuiet('git', [
          '-C',
          bare,
          'merge-tree',
          '--write-tree',
          heads[i] ?? '',
          heads[(i * 7 + 11) % STREAMS] ?? '',
        ]);
      }
    })) / sample;
  const pairs = (STREAMS * (STREAMS - 1)) / 2;
  const fresh = await copy();
  const repo = await openRepository(fresh, { inheritedEnv: GIT_ENV, longLived: true });
  const base = (await runQuiet('git', ['-C', fresh, 'rev-parse', 'main'])).trim();
  let asked = 0;
  let clashes = 0;
  const total = await timed(async () => {
    const trees = await Promise.all(
      heads.map(async (head) => ({
        from: (await readCommit(repo, base)).tree,
        to: (await readCommit(repo, head)).tree,
      })),
    );
    const meeting = meetingPairs((await changesBetween(repo, trees)).map(touchedBy));
    const queries = meeting.map(([i, j]) => ({ ours: heads[i] ?? '', theirs: heads[j] ?? '' }));
    asked = queries.length;
    const answers = await withScratchObjects(repo, (scratch) => mergeTrees(scratch, queries));
    clashes = answers.filter((answer) => answer.kind === 'conflict').length;
  });
  await repo.close();
  return [
    atLeast(`${pairs} pairs, ${asked} asked, ${clashes} clash`, (perPair * pairs) / total, 30),
    {
      what: 'seconds: a process for each pair (from 40), ours',
      measured: `${((perPair * pairs) / 1000).toFixed(0)} / ${(total / 1000).toFixed(2)}`,
      target: '',
      holds: undefined,
    },
  ];
}
