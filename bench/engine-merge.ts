import { rmSync } from 'node:fs';
import { listQueue, requestMerge } from '../src/contract/merges.ts';
import { withTrailers } from '../src/git/change-id.ts';
import { signatureAt } from '../src/git/person.ts';
import { resolveCommit, updateRefs } from '../src/git/refs.ts';
import { revertMerge } from '../src/git/revert.ts';
import { driveQueue } from '../src/workflows/drive-queue.ts';
import { measureStream } from '../src/workflows/facts.ts';
import { mergeStream } from '../src/workflows/merge-stream.ts';
import { coldMergeTree } from './cold-merge-tree.ts';
import { atLeast, atMost, median, type Row, timed } from './measure.ts';
import { openProduct, trackBranch } from './product.ts';
import { runQuiet, tryQuiet } from './run-quiet.ts';
import type { Shape } from './synthetic-repository.ts';

const isLarge = (shape: Shape) => shape.files > 10_000;

/** Landing streams on the buffer: plain git in a worktree, the floor, and the product with all its rows. */
export async function benchMerge(shape: Shape, copy: () => Promise<string>): Promise<Row[]> {
  const count = isLarge(shape) ? 10 : 20;
  const names = Array.from({ length: count }, (_, i) => `s${i}`);
  const train = Array.from({ length: 200 }, (_, i) => `s${i + 20}`);
  const floor = await measureFloor(await copy(), names);
  const product = await measureProduct(await copy(), names, train);
  const naive = await measureNaive(await copy(), names);
  const floorAgain = await measureFloor(await copy(), names);
  const answer = median([...floor.times, ...floorAgain.times]);
  const sameTree = naive.tree === product.tree;
  return [
    { what: 'trees equal to plain git', measured: String(sameTree), target: 'true', holds: sameTree },
    atLeast(
      'landing of a queued stream, rows included',
      median(naive.times) / median(product.landings),
      isLarge(shape) ? 200 : 40,
    ),
    atMost('the same against a cold answer', median(product.landings) / answer, 1.5),
    {
      what: 'whole merge, asking included',
      measured: `${(median(naive.times) / median(product.merges)).toFixed(1)}x`,
      target: '',
      holds: undefined,
    },
    atLeast('train of 200, per stream', median(naive.times) / product.trainEach, isLarge(shape) ? 150 : 35),
    atMost('train of 200 against 200 cold answers', product.trainEach / answer, 2),
    atLeast('revert of a landing', median(naive.reverts) / median(product.reverts), isLarge(shape) ? 40 : 30),
    atMost('revert against a cold answer', median(product.reverts) / answer, 2),
    {
      what: 'ms: naive merge, product landing, cold answer',
      measured: [median(naive.times), median(product.landings), answer]
        .map((ms) => ms.toFixed(1))
        .join(' / '),
      target: '',
      holds: undefined,
    },
  ];
}

async function measureNaive(bare: string, names: string[]) {
  const work = `${bare}-work`;
  await runQuiet('git', ['clone', '-q', '--shared', bare, work]);
  await runQuiet('git', ['-C', work, 'checkout', '-q', '-b', 'buffer', 'origin/buffer']);
  const times: number[] = [];
  for (const name of names) {
    // Somebody else had the shared worktree on another branch, as is usual there.
    await runQuiet('git', ['-C', work, 'checkout', '-q', `origin/${name}`]);
    let merged: string | undefined;
    times.push(
      await timed(async () => {
        await runQuiet('git', ['-C', work, 'checkout', '-q', 'buffer']);
        merged = await tryQuiet('git', [
          '-C',
          work,
          'merge',
          '-q',
          '--no-ff',
          '-m',
          'land',
          `origin/${name}`,
        ]);
      }),
    );
    if (merged === undefined) await runQuiet('git', ['-C', work, 'merge', '--abort']);
  }
  const tree = (await runQuiet('git', ['-C', work, 'rev-parse', 'buffer^{tree}'])).trim();
  const reverts: number[] = [];
  for (let i = 0; i < 8; i++) {
    const commit = (await runQuiet('git', ['-C', work, 'rev-parse', 'HEAD'])).trim();
    reverts.push(await timed(() => runQuiet('git', ['-C', work, 'revert', '-m', '1', '--no-edit', commit])));
    await runQuiet('git', ['-C', work, 'reset', '-q', '--hard', 'HEAD~2']);
  }
  rmSync(work, { recursive: true, force: true });
  return { times, tree, reverts };
}

async function measureFloor(bare: string, names: string[]): Promise<{ times: number[] }> {
  const heads = (await runQuiet('git', ['-C', bare, 'rev-parse', ...names])).trim().split('\n');
  const server = coldMergeTree(bare);
  // Answers against each other are real three-way merges; the first call starts the process and does not count.
  await server.ask(heads[0] ?? '', heads[1] ?? '');
  const times: number[] = [];
  for (let i = 1; i + 1 < heads.length; i++)
    times.push(await timed(() => server.ask(heads[i] ?? '', heads[i + 1] ?? '')));
  server.close();
  return { times };
}

async function measureProduct(bare: string, names: string[], train: string[]) {
  const { app, workflow } = await openProduct(bare);
  const { git, authority, repo } = workflow;
  const landings: number[] = [];
  for (const name of names) {
    const stream = await trackBranch(workflow, name);
    const facts = await measureStream(workflow, stream);
    const { merge } = await authority.call(requestMerge, { stream: stream.id, facts });
    landings.push(await timed(() => driveQueue(workflow, merge.id)));
  }
  const tree = (await runQuiet('git', ['-C', bare, 'rev-parse', 'buffer^{tree}'])).trim();
  const reverts: number[] = [];
  const author = signatureAt({ name: 'Bench', email: 'b@example.org' }, 1_700_000_000_000);
  for (let i = 0; i < 8; i++) {
    const tip = (await resolveCommit(git, 'refs/heads/buffer')) ?? '';
    const landing = (
      await runQuiet('git', ['-C', bare, 'rev-list', '--merges', '--first-parent', `--skip=${i}`, '-1', tip])
    ).trim();
    reverts.push(
      await timed(async () => {
        const made = await revertMerge(git, {
          tip,
          merge: landing,
          message: withTrailers('Revert\n', {}),
          author,
        });
        if (made.kind === 'merged')
          await updateRefs(git, [{ ref: 'refs/heads/scratch', old: null, new: made.commit }], 'bench');
      }),
    );
    await runQuiet('git', ['-C', bare, 'update-ref', '-d', 'refs/heads/scratch']);
  }
  for (const name of train) {
    const stream = await trackBranch(workflow, name);
    await authority.call(requestMerge, { stream: stream.id, facts: await measureStream(workflow, stream) });
  }
  const queued = (await authority.call(listQueue, { repoId: repo.id })).items.length;
  const trainEach = (await timed(() => driveQueue(workflow))) / queued;
  const merges: number[] = [];
  for (const name of Array.from({ length: 10 }, (_, i) => `s${225 + i}`)) {
    const stream = await trackBranch(workflow, name);
    merges.push(await timed(() => mergeStream(workflow, stream.id)));
  }
  await app.close();
  return { landings, tree, reverts, trainEach, merges };
}
