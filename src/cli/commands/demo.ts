import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Environment } from '../../app/environment.ts';
import { gitEnv } from '../../git/git-env.ts';
import { runGit } from '../../git/run-git.ts';
import type { Command } from '../command.ts';
import { anyCast, prepareRepository } from '../demo/any-repository.ts';
import type { Cast } from '../demo/cast.ts';
import { copyLibrary, publishedCast } from '../demo/published-library.ts';
import { openStage } from '../demo/stage.ts';
import { tellStory } from '../demo/story.ts';
import { flagOption, textOption } from '../options.ts';
import { duration } from '../output/hints.ts';

const demo: Command = {
  name: 'demo',
  summary: 'Play the whole story in a throw-away repository: nothing of yours is touched.',
  actor: 'nobody',
  options: [
    { flags: '--keep', summary: 'leave the repository of the demo behind' },
    { flags: '--repo <path>', summary: 'play it on a clone of this repository' },
  ],
  examples: ['gitswarm demo', 'gitswarm demo --keep'],
  async run(session, _args, options) {
    const keep = flagOption(options, 'keep');
    const top = realpathSync(mkdtempSync(join(tmpdir(), 'gitswarm-demo-')));
    const environment = demoEnvironment(session.environment);
    const startedAt = performance.now();
    try {
      const dir = join(top, 'repository');
      const cast = await prepare(dir, textOption(options, 'repo'), environment);
      const stage = openStage({ dir, environment, output: session.output, signal: session.signal });
      const told = await tellStory(stage, cast);
      const durationMs = Math.round(performance.now() - startedAt);
      return {
        data: { ...told, durationMs, steps: stage.steps, directory: keep ? dir : null },
        text: () =>
          [
            `That was ${stage.steps.length} commands in ${duration(durationMs)}; every one of them was real.`,
            keep
              ? `The repository is kept: ${dir}`
              : 'Nothing was left behind; --keep leaves the repository to look at.',
            '',
            'On your own repository:',
            '  cd your-repository && gitswarm init',
            '  gitswarm task create "What is to be done" --accept "how one sees that it is done"',
            '  gitswarm swarm --agents 2 --agent "<the command that starts your agent>"',
          ].join('\n'),
        next: keep ? `cd ${dir} && gitswarm status` : 'gitswarm init',
      };
    } finally {
      if (!keep) rmSync(top, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

/** The same everywhere: no settings or identity of the user, no agent from outside, and this very Node. */
function demoEnvironment(environment: Environment): Environment {
  const { PATH = '', ...rest } = environment.variables;
  const variables = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !/^(GIT|GITSWARM)_/.test(name)),
  );
  return {
    ...environment,
    agent: undefined,
    session: undefined,
    variables: {
      ...variables,
      PATH: [dirname(process.execPath), PATH].join(delimiter),
      GIT_CONFIG_GLOBAL: devNull,
      GIT_CONFIG_NOSYSTEM: '1',
    },
  };
}

async function prepare(dir: string, origin: string | undefined, environment: Environment): Promise<Cast> {
  const place = { dir: dirname(dir), env: gitEnv(environment.variables) };
  const git = (args: string[], cwd = dir) => runGit(place, args, { cwd });
  const cast = origin === undefined ? await library(dir, git) : await clone(dir, resolve(origin), git);
  await git(['add', '--all']);
  const as = [
    '-c',
    'user.name=GitSwarm demo',
    '-c',
    'user.email=demo@agents.gitswarm.local',
    '-c',
    'commit.gpgsign=false',
  ];
  await git([...as, 'commit', '--quiet', '--no-verify', '-m', 'The stage of the demo']);
  return cast;
}

type Git = (args: string[], cwd?: string) => Promise<unknown>;

async function library(dir: string, git: Git): Promise<Cast> {
  const { version } = copyLibrary(dir);
  await git(['init', '--quiet', '--initial-branch=main']);
  return publishedCast(dir, version);
}

/** Cut off from where it came from, on a branch of its own, and without settings that would change the story. */
async function clone(dir: string, origin: string, git: Git): Promise<Cast> {
  await git(['clone', '--quiet', '--no-hardlinks', '--', origin, dir], dirname(dir));
  await git(['remote', 'remove', 'origin']);
  await git(['switch', '--quiet', '--force-create', 'gitswarm-demo']);
  rmSync(join(dir, '.gitswarm'), { recursive: true, force: true });
  prepareRepository(dir);
  return anyCast(origin);
}

export const commands = [demo];
