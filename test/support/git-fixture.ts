import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type OpenOptions, openRepository, type Repository } from '../../src/git/repository.ts';
import { GitShell } from './git-shell.ts';

/** What tests give git: no configuration of the machine, one author, one time. */
export const fixtureEnv: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_AUTHOR_DATE: '1700000000 +0100',
  GIT_COMMITTER_NAME: 'Carl',
  GIT_COMMITTER_EMAIL: 'carl@example.org',
  GIT_COMMITTER_DATE: '1700000100 +0000',
};

export const ada = { name: 'Ada', email: 'ada@example.org', seconds: 1_700_000_000, zone: '+0100' };

/** Text or bytes of a file; undefined deletes it. */
export type Files = Readonly<Record<string, string | Buffer | undefined>>;

export interface FixtureOptions {
  /** Name of the first branch. Default: trunk. */
  branch?: string;
  bare?: boolean;
}

const shell = new GitShell(fixtureEnv);

/** A real repository in a directory of its own, gone when the test has finished. */
export class GitFixture {
  /** The directory above the repository, for worktrees and clones. */
  readonly top: string;
  readonly dir: string;
  readonly branch: string;
  readonly #opened: Repository[] = [];

  constructor({ branch = 'trunk', bare = false }: FixtureOptions = {}) {
    this.top = realpathSync(mkdtempSync(join(tmpdir(), 'gitswarm-test-')));
    this.dir = join(this.top, 'repo');
    this.branch = branch;
    mkdirSync(this.dir);
    this.git('init', '--quiet', `--initial-branch=${branch}`, ...(bare ? ['--bare'] : []));
  }

  /** Runs git in the repository; throws with everything it said. */
  git(...args: string[]): string {
    return this.gitIn(this.dir, ...args);
  }

  gitIn(dir: string, ...args: string[]): string {
    const { status, stdout, said } = this.tryGit(dir, ...args);
    if (status !== 0) throw new Error(`git ${args.join(' ')}: exit ${status}: ${said}`);
    return stdout.trim();
  }

  /** Runs git and returns what came of it. */
  tryGit(dir: string, ...args: string[]): { status: number | null; stdout: string; said: string } {
    const { status, stdout, stderr } = shell.run(dir, args);
    return { status, stdout, said: `${stdout}${stderr}` };
  }

  write(files: Files, dir: string = this.dir): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(dir, path);
      if (content === undefined) {
        rmSync(file, { recursive: true });
        continue;
      }
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  /** Writes files and commits everything; returns the commit. */
  commit(message: string, files: Files, dir: string = this.dir): string {
    this.write(files, dir);
    this.gitIn(dir, 'add', '--all');
    this.gitIn(dir, 'commit', '--quiet', '--allow-empty', '-m', message);
    return this.oid('HEAD', dir);
  }

  /** Changes to a branch, made from `start` if it is new. */
  branchFrom(branch: string, start: string, dir: string = this.dir): void {
    this.gitIn(dir, 'switch', '--quiet', '-C', branch, start);
  }

  oid(revision: string, dir: string = this.dir): string {
    return this.gitIn(dir, 'rev-parse', '--verify', revision);
  }

  tree(revision: string): string {
    return this.oid(`${revision}^{tree}`);
  }

  async open(options: Partial<OpenOptions> & { dir?: string } = {}): Promise<Repository> {
    const { dir = this.dir, ...rest } = options;
    const repo = await openRepository(dir, { inheritedEnv: fixtureEnv, ...rest });
    this.#opened.push(repo);
    return repo;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#opened.map((repo) => repo.close()));
    rmSync(this.top, { recursive: true, force: true });
  }
}

/** A fixture that cleans up after the running test. */
export function gitFixture(options: FixtureOptions = {}): GitFixture {
  const fixture = new GitFixture(options);
  onTestFinished(() => fixture.remove());
  return fixture;
}
