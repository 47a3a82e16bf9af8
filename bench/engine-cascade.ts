import { rmSync } from 'node:fs';
import { applyCascade, cascade } from '../src/git/cascade.ts';
import type { CascadeStream } from '../src/git/cascade-stream.ts';
import { resolveCommit } from '../src/git/refs.ts';
import { openRepository } from '../src/git/repository.ts';
import { coldMergeTree } from './cold-merge-tree.ts';
import { atLeast, atMost, median, type Row, timed } from './measure.ts';
import { GIT_ENV, runQuiet } from './run-quiet.ts';
import type { Shape } from './synthetic-repository.ts';

/** Dependants of a stream that moved, each with its own commits: git rebase in worktrees against refs only. */
export async function benchCascade(shape: Shape, copy: () => Promise<string>): Promise<Row[]> {
  const isLarge = shape.files > 10_000;
  const dependants = isLarge ? 4 : 10;
  const ours = await measureOurs(await prepare(await copy(), dependants), dependants);
  const naive = await measureNaive(await prepare(await copy(), dependants), dependants);
  const answer = await measureAnswers(await prepare(await copy(), dependants), dependants);
  const commits = dependants * shape.commitsPerStream;
  const same = ours.trees.join() === naive.trees.join();
  return [
    { what: 'trees equal to git rebase', measured: String(same), target: 'true', holds: same },
    atLeast('per commit, refs only', naive.total / ours.total, isLarge ? 100 : 12),
    atMost('per commit against a cold answer', ours.total / commits / answer, 1.5),
    {
      what: 'ms per commit: rebase, ours, cold answer',
      measured: [naive.total / commits, ours.total / commits, answer].map((ms) => ms.toFixed(2)).join(' / '),
      target: '',
      holds: undefined,
    },
  ];
}

interface Prepared {
  bare: string;
  oldBase: string;
  newBase: string;
}

/** The streams fork from the tip of main; a commit on top of it in a file of nobody's is what they must follow. */
async function prepare(bare: string, dependants: number): Promise<Prepared> {
  const oldBase = (await runQuiet('git', ['-C', bare, 'rev-parse', 'main'])).trim();
  const newBase = (await runQuiet('git', ['-C', bare, 'rev-parse', `s${dependants + 100}`])).trim();
  return { bare, oldBase, newBase };
}

async function measureOurs({ bare, oldBase, newBase }: Prepared, dependants: number) {
  const repo = await openRepository(bare, { inheritedEnv: GIT_ENV, longLived: true });
  const streams: CascadeStream[] = [];
  for (let i = 0; i < dependants; i++) {
    const ref = `refs/heads/s${i}`;
    streams.push({
      id: `s${i}`,
      ref,
      head: (await resolveCommit(repo, ref)) ?? '',
      parentId: 'root',
      base: oldBase,
    });
  }
  // The helper processes of a long-lived program are up already.
  await cascade(repo, {
    moved: { id: 'root', oldHead: oldBase, newHead: oldBase },
    streams: [],
    policy: 'defer',
  });
  const total = await timed(async () => {
    const result = await cascade(repo, {
      moved: { id: 'root', oldHead: oldBase, newHead: newBase },
      streams,
      policy: 'defer',
    });
    await applyCascade(repo, result.updates, 'bench');
  });
  await repo.close();
  return { total, trees: await trees(bare, dependants) };
}

async function measureNaive({ bare, newBase, oldBase }: Prepared, dependants: number) {
  const places: string[] = [];
  for (let i = 0; i < dependants; i++) {
    const place = `${bare}-w${i}`;
    await runQuiet('git', ['-C', bare, 'worktree', 'add', '-q', place, `s${i}`]);
    await runQuiet('git', ['-C', place, 'status']);
    places.push(place);
  }
  let total = 0;
  for (const place of places) {
    total += await timed(() =>
      runQuiet('git', ['-C', place, 'rebase', '-q', '--onto', newBase, oldBase]).catch(() =>
        runQuiet('git', ['-C', place, 'rebase', '--abort']),
      ),
    );
  }
  const found = await trees(bare, dependants);
  for (const place of places) rmSync(place, { recursive: true, force: true });
  return { total, trees: found };
}

async function measureAnswers({ bare, newBase }: Prepared, dependants: number): Promise<number> {
  const server = coldMergeTree(bare);
  const heads = (
    await runQuiet('git', [
      '-C',
      bare,
      'rev-parse',
      ...Array.from({ length: dependants + 1 }, (_, i) => `s${i}`),
    ])
  )
    .trim()
    .split('\n');
  await server.ask(newBase, heads[dependants] ?? '');
  const times: number[] = [];
  for (const head of heads.slice(0, dependants)) times.push(await timed(() => server.ask(newBase, head)));
  server.close();
  return median(times);
}

async function trees(bare: string, dependants: number): Promise<string[]> {
  const names = Array.from({ length: dependants }, (_, i) => `s${i}^{tree}`);
  return (await runQuiet('git', ['-C', bare, 'rev-parse', ...names])).trim().split('\n');
}
