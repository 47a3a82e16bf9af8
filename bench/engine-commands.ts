import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { atMost, median, type Row, timed } from './measure.ts';
import { GIT_ENV, runQuiet } from './run-quiet.ts';
import { pathOf, type Shape } from './synthetic-repository.ts';

const PROGRAM = resolve(import.meta.dirname, '../dist/gitswarm.cjs');
const ROUNDS = 9;

/** Whole processes as an agent starts them, from the built program. Rounds alternate, so that drift meets both. */
export async function benchCommands(shape: Shape, copy: () => Promise<string>): Promise<Row[]> {
  if (!existsSync(PROGRAM)) throw new Error('run npm run build first');
  const dir = `${await copy()}-commands`;
  await runQuiet('git', ['clone', '-q', await copy(), dir]);
  const gitswarm = (...args: string[]) =>
    runQuiet(process.execPath, [PROGRAM, '-C', dir, ...args], { env: GIT_ENV });
  await runQuiet('git', ['-C', dir, 'config', 'user.name', 'Ana']);
  await runQuiet('git', ['-C', dir, 'config', 'user.email', 'ana@example.org']);
  await gitswarm('init', '--owner', 'Ana', '--buffer', 'swarm-buffer');
  const node = () => runQuiet(process.execPath, ['-e', '0']);
  const starts = await alternate([
    node,
    () => gitswarm('--version'),
    () => gitswarm('status', '--json', '--as', 'Ana'),
  ]);
  const rows = [
    atMost('start: gitswarm --version against node -e 0', ratio(starts, 1, 0), 1.5),
    atMost('start: gitswarm status against node -e 0', ratio(starts, 2, 0), 2.2),
  ];
  const [plain, ours] = await commits(dir, gitswarm);
  rows.push(atMost('gitswarm commit over git add -A && git commit', median(ours) - median(plain), 60, ' ms'));
  rows.push(...(await merges(shape, dir, gitswarm)));
  rmSync(dir, { recursive: true, force: true });
  return rows;
}

async function alternate(commands: (() => Promise<unknown>)[]): Promise<number[][]> {
  const times = commands.map((): number[] => []);
  for (const command of commands) await command();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, command] of commands.entries()) times[i]?.push(await timed(command));
  }
  return times;
}

function ratio(times: number[][], a: number, b: number): number {
  return median(times[a] ?? []) / median(times[b] ?? []);
}

type Run = (...args: string[]) => Promise<string>;

async function commits(dir: string, gitswarm: Run): Promise<[number[], number[]]> {
  const made = JSON.parse(await gitswarm('workspace', 'create', '--as', 'Ana', '--json')) as {
    data: { path: string; stream: { id: string } };
  };
  const { path, stream } = made.data;
  const plainDir = `${dir}-plain`;
  await runQuiet('git', ['-C', dir, 'worktree', 'add', '-q', '-b', 'plain', plainDir, 'swarm-buffer']);
  const plain: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const place of [path, plainDir])
      for (let f = 0; f < 3; f++) writeFileSync(join(place, pathOf(round * 3 + f)), `round ${round}\n`);
    const theirs = await timed(async () => {
      await runQuiet('git', ['-C', plainDir, 'add', '-A']);
      await runQuiet('git', ['-C', plainDir, 'commit', '-q', '-m', 'change']);
    });
    const mine = await timed(() =>
      gitswarm('commit', '-m', 'change', '--as', 'Ana', '--stream', stream.id, '--json'),
    );
    if (round === 0) continue;
    plain.push(theirs);
    ours.push(mine);
  }
  return [plain, ours];
}

/** Merging as a process: plain git in a worktree that was on another branch, against one command. */
async function merges(shape: Shape, dir: string, gitswarm: Run): Promise<Row[]> {
  const work = `${dir}-work`;
  await runQuiet('git', ['-C', dir, 'worktree', 'add', '-q', '-b', 'naive-buffer', work, 'swarm-buffer']);
  const plain: number[] = [];
  const ours: number[] = [];
  for (let i = 0; i < 6; i++) {
    const tracked = JSON.parse(
      await gitswarm('stream', 'track', await localBranch(dir, i), '--as', 'Ana', '--json'),
    ) as { data: { stream?: { id: string }; id?: string } };
    const id = tracked.data.stream?.id ?? tracked.data.id ?? '';
    await runQuiet('git', ['-C', work, 'checkout', '-q', '--detach', `origin/s${i}`]);
    const theirs = await timed(async () => {
      await runQuiet('git', ['-C', work, 'checkout', '-q', 'naive-buffer']);
      await runQuiet('git', ['-C', work, 'merge', '-q', '--no-ff', '-m', 'land', `origin/s${i}`]).catch(() =>
        runQuiet('git', ['-C', work, 'merge', '--abort']),
      );
    });
    const mine = await timed(() => gitswarm('merge', id, '--as', 'Ana', '--json').catch(() => ''));
    if (i === 0) continue;
    plain.push(theirs);
    ours.push(mine);
  }
  return [
    atMost(
      'gitswarm merge against git checkout && git merge --no-ff',
      median(ours) / median(plain),
      shape.files > 10_000 ? 0.5 : 1.5,
    ),
    {
      what: 'ms: git checkout && merge, gitswarm merge',
      measured: `${median(plain).toFixed(0)} / ${median(ours).toFixed(0)}`,
      target: '',
      holds: undefined,
    },
  ];
}

async function localBranch(dir: string, i: number): Promise<string> {
  await runQuiet('git', ['-C', dir, 'branch', '-q', '--no-track', `work${i}`, `origin/s${i}`]);
  return `work${i}`;
}
