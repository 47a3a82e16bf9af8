import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { listStreams, type Stream } from '../../src/contract/streams.ts';
import { findWorkspace } from '../../src/machine/workspaces.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import type { Job } from '../support/drive.ts';
import { Driven } from '../support/driven.ts';
import { expectSound, recoverByCommands, remember } from '../support/invariants.ts';
import { type Story, startStory } from '../support/story.ts';

const LONG = process.env.GITSWARM_LONG === '1';
/** Set it to see a failure again. */
const SEED = Number(process.env.GITSWARM_SEED ?? (LONG ? Date.now() % 1_000_000 : 7));
const ROUNDS = LONG ? 60 : 10;

const runs = (LONG ? [0, 1, 2, 3, 4, 5] : [0]).flatMap((n) => [
  { mode: 'review' as const, seed: SEED + n },
  { mode: 'swarm' as const, seed: SEED + n },
]);

it.each(runs)(
  'killed at random moments in $mode mode (GITSWARM_SEED=$seed), a repository stays whole',
  async ({ mode, seed }) => {
    const chance = randomNumbers(seed);
    const story = await startStory({ mode, agents: ['coder', 'bob'], stabilize: '! ls | grep broken' });
    await story.set('test_before_merge', 'false');
    await story.stream('Olga', { 'first.txt': '1\n' });
    for (let round = 1; round <= ROUNDS; round++) {
      const job = await chooseJob(story, { chance, round });
      const before = remember(story);
      const driven = new Driven(story.dir, 'Olga', job, { DRIVE_WAITS: '1' });
      await driven.ready();
      driven.go();
      // Where it dies is left to chance; a process that is done by then has not died.
      await Promise.race([pause(Math.floor(chance() ** 2 * 500)), driven.ended]);
      driven.kill();
      const ended = await driven.gone();
      const what = `round ${round}: ${JSON.stringify(job)}: ${ended.signal ?? JSON.stringify(ended.answer)}\n${ended.stderr}`;
      await promised(what, () => recoverByCommands(story));
      await promised(what, () => expectSound(story, before));
    }
    await story.run('Olga', (workflow) => driveQueue(workflow));
    await expectSound(story);
    // Each red run finds one culprit; several may have landed since the last one.
    for (let run = 1; run < ROUNDS && (await story.stabilize()).result === 'red'; run++)
      await expectSound(story);
    expect((await story.stabilize()).result).toBe('green');
    await story.promote();
    expect(story.oid('main')).toBe(story.oid('buffer'));
    await expectSound(story);
  },
  LONG ? 1_800_000 : undefined,
);

/** A failure says in which round of which job it came. */
async function promised(what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`${what}\n${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function chooseJob(
  story: Story,
  { chance, round }: { chance: () => number; round: number },
): Promise<Job> {
  const streams = (await story.ask(listStreams, { repoId: await story.repoId(), limit: 200 })).items;
  const open = streams.filter((stream) =>
    ['active', 'in_review', 'approved', 'queued'].includes(stream.state),
  );
  const merged = streams.filter((stream) => stream.state === 'merged');
  const one = pick(chance, open);
  if (!one) return { op: 'workspace' };
  const kind = pick(chance, [
    'workspace',
    'fork',
    'commit',
    'commit',
    'commit',
    'merge',
    'merge',
    'revert',
    'destroy',
    'sync',
    'stabilize',
    'promote',
  ]);
  switch (kind) {
    case 'fork':
      return { op: 'workspace', request: { dependsOn: one.id } };
    case 'commit':
      await edit(story, one, { chance, round });
      return { op: 'commit', stream: one.id, message: `round ${round}` };
    case 'merge':
    case 'sync':
      return { op: kind, stream: one.id };
    case 'revert':
      return { op: 'revert', stream: (pick(chance, merged) ?? one).id };
    case 'destroy':
      await edit(story, one, { chance, round });
      return { op: 'destroy', stream: one.id, force: true };
    case 'stabilize':
    case 'promote':
      return { op: kind };
    default:
      return { op: 'workspace' };
  }
}

/** Changes of its own in a stream's worktree, sometimes ones that turn the buffer red. */
async function edit(
  story: Story,
  stream: Stream,
  { chance, round }: { chance: () => number; round: number },
): Promise<void> {
  const path = await story.run('Olga', async ({ machine }) => findWorkspace(machine, stream.id)?.path);
  if (path === undefined) return;
  story.git.write({ [`round ${round}.txt`]: `${round}\n` }, path);
  if (chance() < 0.15) story.git.write({ [`broken ${round}`]: '' }, path);
}

function pick<T>(chance: () => number, among: readonly T[]): T | undefined {
  return among[Math.floor(chance() * among.length)];
}

/** The generator "mulberry32": the same seed gives the same run. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
