import { join } from 'node:path';
import { expect } from 'vitest';
import { readEnvironment } from '../../src/app/environment.ts';
import { main } from '../../src/cli/main.ts';
import { type Files, type GitFixture, gitFixture } from './git-fixture.ts';
import { type Line, lineTo } from './line.ts';
import { makeServer, type ServerForTests } from './server.ts';
import { type CliResult, callCli, swarmEnv } from './swarm-story.ts';

/** How a command is called: with whose key, from which folder, and how it is to end. */
export interface Call {
  /** Another agent's own key, by GITSWARM_TOKEN. */
  key?: string;
  cwd?: string;
  /** Exit code; 0 unless a test expects another. */
  exit?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: what a command prints is looked at field by field
export type Told = any;

/** One machine: a clone of its own, in which the real program is run. */
export class MachineForTests {
  readonly dir: string;
  readonly git: GitFixture;

  constructor(git: GitFixture, dir: string) {
    this.git = git;
    this.dir = dir;
  }

  /** Runs the program in this process, which spares its start; what it prints is caught. */
  async run(args: string[], { key, cwd }: Call = {}): Promise<CliResult> {
    const printed = { stdout: '', stderr: '' };
    const sink = (name: keyof typeof printed) => ({
      write(text: string, done?: () => void) {
        printed[name] += text;
        done?.();
        return true;
      },
      on: () => undefined,
    });
    const environment = readEnvironment({ ...swarmEnv, GITSWARM_TOKEN: key });
    const surroundings = { environment, stdout: sink('stdout'), stderr: sink('stderr') };
    const exit = await main(['-C', cwd ?? this.dir, ...args], surroundings);
    return { exit, ...printed };
  }

  /** The same as a process of its own, which may be killed and meets others as they meet. */
  start(args: string[], { key, cwd, crashAt }: Call & { crashAt?: string } = {}): Promise<CliResult> {
    const env = { GITSWARM_TOKEN: key, GITSWARM_CRASH_AT: crashAt };
    return callCli(cwd ?? this.dir, args, env).done;
  }

  /** Runs it with `--json`: exactly one document on stdout. Answers the data, or the error where it is refused. */
  async ask(args: string[], call: Call = {}): Promise<Told> {
    const { exit, stdout, stderr } = await this.run([...args, '--json'], call);
    const said = `${args.join(' ')}\n${stdout}\n${stderr}`;
    expect(stdout.trimEnd().split('\n'), said).toHaveLength(1);
    expect(exit, said).toBe(call.exit ?? 0);
    const told = JSON.parse(stdout);
    return told.ok ? told.data : told.error;
  }

  /** Runs it until it kills itself at a step. */
  async crash(args: string[], crashAt: string, call: Call = {}): Promise<void> {
    const ended = await this.start(args, { ...call, crashAt });
    expect(ended.exit, `${args.join(' ')} until ${crashAt}\n${ended.stdout}\n${ended.stderr}`).toBe(null);
  }

  /** A workspace with one commit; answers the stream and its path. */
  async work(name: string, files: Files, { key }: Call = {}): Promise<{ id: string; path: string }> {
    const as = key === undefined ? {} : { key };
    const { stream, path } = await this.ask(['workspace', 'create', '--name', name], as);
    this.git.write(files, path);
    await this.ask(['commit', '-m', name], { ...as, cwd: path });
    return { id: stream.id, path };
  }

  oid(revision: string): string {
    return this.git.oid(revision, this.dir);
  }
}

/** A server, a bare remote in which clones meet, and people with keys of their own. */
export interface Fleet {
  server: ServerForTests;
  /** What the clones reach the server by. */
  line: Line;
  /** The bare remote. */
  remote: string;
  git: GitFixture;
  keys: { olga: string; coder: string; reviewer: string };
  /** A clone of the remote; nothing of GitSwarm is in it yet. */
  clone(folder: string): MachineForTests;
  /** A clone that is connected with somebody's key. */
  machine(folder: string, key: string): Promise<MachineForTests>;
}

const BEGIN: Files = { 'a.txt': 'one\ntwo\nthree\n', 'sub/b.txt': 'b\n' };

export async function startFleet({ files = BEGIN }: { files?: Files } = {}): Promise<Fleet> {
  const server = await makeServer();
  const line = await lineTo(server.url);
  const git = gitFixture({ branch: 'main' });
  git.commit('begin', files);
  const remote = join(git.top, 'shared ü.git');
  git.gitIn(git.top, 'clone', '--quiet', '--bare', git.dir, remote);
  const asAdmin = { as: server.admin };
  const olga = await server.ask('POST /agents', { ...asAdmin, body: { name: 'Olga', kind: 'human' } });
  const forAgents = { name: 'machine', mayRegister: true };
  const key = await server.ask(`POST /agents/${olga.agent.id}/keys`, { ...asAdmin, body: forAgents });
  const [coder, reviewer] = [await server.agent('coder'), await server.agent('reviewer')];
  const clone = (folder: string) => {
    const dir = join(git.top, folder);
    git.gitIn(git.top, 'clone', '--quiet', remote, dir);
    git.gitIn(dir, 'config', 'user.name', folder);
    git.gitIn(dir, 'config', 'user.email', `${folder}@example.org`);
    return new MachineForTests(git, dir);
  };
  const machine = async (folder: string, token: string) => {
    const made = clone(folder);
    await made.ask(['connect', '--server', line.url, '--token', token]);
    return made;
  };
  const keys = { olga: key.apiKey, coder: coder.key, reviewer: reviewer.key };
  return { server, line, remote, git, keys, clone, machine };
}

/** Two machines of one repository: Olga, who owns it, on the first; the reviewer, who maintains it, on the second. */
export async function twoMachines(options: { files?: Files } = {}) {
  const fleet = await startFleet(options);
  const one = await fleet.machine('one', fleet.keys.olga);
  await one.ask(['repo', 'maintainer', 'add', 'reviewer']);
  const two = await fleet.machine('two', fleet.keys.reviewer);
  return { ...fleet, one, two };
}

/** The same, with streams that the coder writes and the second machine reviews. */
export async function reviewedMachines() {
  const fleet = await twoMachines();
  const coder = { key: fleet.keys.coder };
  /** Makes a stream that has everything it needs to land. */
  const ready = async (at: MachineForTests, name: string) => {
    const work = await at.work(name, { [`${name}.txt`]: `${name}\n` }, coder);
    await at.ask(['review', 'submit', work.id], coder);
    await fleet.two.ask(['diff', name, '--stat']);
    await fleet.two.ask(['review', 'approve', name]);
    return work;
  };
  const landings = () =>
    fleet.git.gitIn(fleet.remote, 'log', '--format=%s', '--first-parent', 'buffer').split('\n').sort();
  return { ...fleet, coder, ready, landings };
}
