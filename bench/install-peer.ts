import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runQuiet } from './run-quiet.ts';

/** The part of the public package git-cascade that is measured. Its methods do all their work before they return. */
export interface Peer {
  createStream(options: { name: string; agentId: string; base: string }): string;
  forkStream(options: { parentStreamId: string; name: string; agentId: string }): string;
  createWorktree(options: { agentId: string; path: string; branch: string }): unknown;
  getStreamBranchName(streamId: string): string;
  commitChanges(options: { streamId: string; agentId: string; worktree: string; message: string }): unknown;
  mergeStream(options: { sourceStream: string; targetStream: string; agentId: string; worktree: string }): {
    success: boolean;
  };
  cascadeRebase(options: {
    rootStream: string;
    agentId: string;
    worktree: object;
    strategy: 'defer_conflicts';
  }): { updated: string[] };
  close(): void;
}

interface PeerModule {
  MultiAgentRepoTracker: new (options: { repoPath: string; dbPath: string }) => Peer;
}

/** The last one that was published. */
const PEER = 'git-cascade@0.0.9';

/**
 * Installs the package in a directory of its own. Its SQLite driver is compiled, with the header files that come with the
 * Node of this version in the package registry: what the driver would download is not to be had everywhere.
 */
export async function installPeer(dir: string): Promise<PeerModule> {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"name":"peer","private":true}');
  const node = `node-${process.platform}-${process.arch}@${process.versions.node}`;
  await runQuiet('npm', ['pack', '--silent', node], { cwd: dir });
  const archive = readdirSync(dir).find((name) => name.endsWith('.tgz')) ?? '';
  await runQuiet('tar', ['xzf', archive, 'package/include'], { cwd: dir });
  const env = {
    ...process.env,
    npm_config_nodedir: join(dir, 'package'),
    npm_config_build_from_source: 'true',
  };
  await runQuiet('npm', ['install', '--silent', '--no-audit', '--no-fund', PEER], { cwd: dir, env });
  const main = join(dir, 'node_modules', 'git-cascade', 'dist', 'index.js');
  return import(pathToFileURL(main).href);
}
