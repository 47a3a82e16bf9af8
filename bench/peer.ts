import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { showStream } from '../src/contract/streams.ts';
import { commitStream } from '../src/workflows/commit-stream.ts';
import { createWorkspace } from '../src/workflows/create-workspace.ts';
import { destroyWorkspace } from '../src/workflows/destroy-workspace.ts';
import { mergeStream } from '../src/workflows/merge-stream.ts';
import { installPeer, type Peer } from './install-peer.ts';
import { median, printRows, type Row, timed } from './measure.ts';
import { openProduct, trackBranch } from './product.ts';
import { GIT_ENV, runQuiet } from './run-quiet.ts';
import { makeRepository, pathOf, SMALL } from './synthetic-repository.ts';

/**
 * `npm run bench:peer`: the product against the public package git-cascade, both as libraries with their own database,
 * on copies of one made-up repository of 2,000 files, in turns. Whole operations, rows included. Compiles the package's
 * SQLite driver first, which takes a minute.
 */
const MERGES = 12;
const CHILDREN = 10;
const top = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-peer-'));
Object.assign(process.env, GIT_ENV);

interface Times {
  merge: number[];
  commit: number[];
  /** For all children together. */
  cascade: number[];
  tree: string;
}

try {
  const { MultiAgentRepoTracker } = await installPeer(join(top, 'peer'));
  const source = join(top, 'S.git');
  await makeRepository(source, SMALL);
  console.log(`node ${process.versions.node}, ${cpus().length} cores, ${top}`);
  const ours: Times[] = [];
  const theirs: Times[] = [];
  for (let round = 0; round < 3; round++) {
    const measureOurs = async () => ours.push(await product(await checkout(source, `ours-${round}`)));
    const measureTheirs = async () => {
      const dir = await checkout(source, `theirs-${round}`);
      const tracker = new MultiAgentRepoTracker({ repoPath: dir, dbPath: join(top, `${round}.db`) });
      theirs.push(await peer(tracker, dir));
      tracker.close();
    };
    for (const measure of round % 2 === 0 ? [measureOurs, measureTheirs] : [measureTheirs, measureOurs])
      await measure();
  }
  printRows('S: against the public package git-cascade 0.0.9, whole operations', compare(ours, theirs));
} finally {
  rmSync(top, { recursive: true, force: true });
}

function compare(ours: Times[], theirs: Times[]): Row[] {
  const all = (times: Times[], of: 'merge' | 'commit' | 'cascade') => times.flatMap((each) => each[of]);
  const row = (what: string, of: 'merge' | 'commit' | 'cascade', each = 1): Row => {
    const [a, b] = [median(all(ours, of)) / each, median(all(theirs, of)) / each];
    return {
      what: `${what}: ${(b / a).toFixed(1)} times as fast`,
      measured: `${a.toFixed(1)} / ${b.toFixed(1)} ms`,
      target: '',
      holds: undefined,
    };
  };
  const same = ours.every((each, i) => each.tree === theirs[i]?.tree);
  return [
    { what: 'trees of what was merged are equal', measured: String(same), target: 'true', holds: same },
    row('merge of a stream', 'merge'),
    row('commit', 'commit'),
    row(`cascade, each of ${CHILDREN} streams of one commit`, 'cascade', CHILDREN),
  ];
}

/** A clone with its files, and the streams as branches. */
async function checkout(source: string, name: string): Promise<string> {
  const dir = join(top, name);
  await runQuiet('git', ['clone', '-q', '--branch', 'main', source, dir]);
  const branches = Array.from({ length: MERGES }, (_, i) => `refs/heads/s${i}:refs/heads/s${i}`);
  await runQuiet('git', ['-C', dir, 'fetch', '-q', 'origin', ...branches]);
  return dir;
}

function edit(worktree: string, n: number, text: string): void {
  writeFileSync(join(worktree, pathOf(n)), `${text}\n`);
}

async function product(dir: string): Promise<Times> {
  const { app, workflow } = await openProduct(dir);
  const merge: number[] = [];
  for (let i = 0; i < MERGES; i++) {
    const stream = await trackBranch(workflow, `s${i}`);
    merge.push(await timed(() => mergeStream(workflow, stream.id)));
  }
  const tree = (await runQuiet('git', ['-C', dir, 'rev-parse', 'buffer^{tree}'])).trim();
  const root = await createWorkspace(workflow, { name: 'root' });
  const commit: number[] = [];
  const commitIn = async (work: { stream: { id: string }; path: string }, n: number, text: string) => {
    edit(work.path, n, text);
    const time = await timed(() => commitStream(workflow, { stream: work.stream.id, message: text }));
    return time;
  };
  await commitIn(root, 1000, 'root');
  const children: string[] = [];
  for (let i = 0; i < CHILDREN; i++) {
    const child = await createWorkspace(workflow, { name: `child ${i}`, dependsOn: root.stream.id });
    commit.push(await commitIn(child, 1100 + i, `child ${i}`));
    await destroyWorkspace(workflow, child.stream.id, { force: true });
    children.push(child.stream.id);
  }
  const own = median(commit);
  // A commit to the root brings the streams below it along.
  const cascade = [(await commitIn(root, 1001, 'root again')) - own];
  const { head } = await workflow.authority.call(showStream, { stream: root.stream.id });
  for (const stream of children) {
    const child = await workflow.authority.call(showStream, { stream });
    if (child.baseCommit !== head) throw new Error(`${child.name} did not follow`);
  }
  await app.close();
  return { merge, commit, cascade, tree };
}

async function peer(tracker: Peer, dir: string): Promise<Times> {
  const agentId = 'agent';
  const integration = tracker.createStream({ name: 'integration', agentId, base: 'main' });
  const branch = tracker.getStreamBranchName(integration);
  const worktree = `${dir}-integration`;
  tracker.createWorktree({ agentId, path: worktree, branch });
  const merge: number[] = [];
  for (let i = 0; i < MERGES; i++) {
    // A stream of its own that stands on the branch: of a tracked branch the package merges nothing, and says it did.
    const sourceStream = tracker.createStream({ name: `s${i}`, agentId, base: `s${i}` });
    const options = { sourceStream, targetStream: integration, agentId, worktree };
    merge.push(await timed(async () => tracker.mergeStream(options)));
  }
  const tree = (await runQuiet('git', ['-C', dir, 'rev-parse', `${branch}^{tree}`])).trim();
  const commit: number[] = [];
  const place = `${dir}-work`;
  const root = tracker.createStream({ name: 'root', agentId: 'worker', base: 'main' });
  tracker.createWorktree({ agentId: 'worker', path: place, branch: tracker.getStreamBranchName(root) });
  const commitTo = async (streamId: string, n: number, text: string) => {
    await runQuiet('git', ['-C', place, 'checkout', '-q', tracker.getStreamBranchName(streamId)]);
    edit(place, n, text);
    const options = { streamId, agentId: 'worker', worktree: place, message: text };
    return timed(async () => tracker.commitChanges(options));
  };
  await commitTo(root, 1000, 'root');
  for (let i = 0; i < CHILDREN; i++) {
    const child = tracker.forkStream({ parentStreamId: root, name: `child ${i}`, agentId: 'worker' });
    commit.push(await commitTo(child, 1100 + i, `child ${i}`));
  }
  await commitTo(root, 1001, 'root again');
  const options = {
    rootStream: root,
    agentId: 'worker',
    worktree: { mode: 'sequential', worktreePath: place },
    strategy: 'defer_conflicts' as const,
  };
  let updated = 0;
  const cascade = [
    await timed(async () => {
      updated = tracker.cascadeRebase(options).updated.length;
    }),
  ];
  if (updated !== CHILDREN) throw new Error(`only ${updated} streams followed`);
  return { merge, commit, cascade, tree };
}
