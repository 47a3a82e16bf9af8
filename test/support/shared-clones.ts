import { rmSync } from 'node:fs';
import { readEnvironment } from '../../src/app/environment.ts';
import { initApp } from '../../src/app/init-app.ts';
import { openApp } from '../../src/app/open-app.ts';
import { showAgent } from '../../src/contract/agents.ts';
import { commitStream } from '../../src/workflows/commit-stream.ts';
import { createWorkspace } from '../../src/workflows/create-workspace.ts';
import { recover } from '../../src/workflows/recover.ts';
import { pushStreams } from '../../src/workflows/shared/push-shared.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import type { Files } from './git-fixture.ts';
import { type Story, type StoryOptions, signAs, startStory, storyEnv, type Work } from './story.ts';

/** A process of a machine that cannot be seen from the first clone. */
export const AWAY = '4711 99 00000000-0000-4000-8000-000000000000 pid:[1] elsewhere';

/** Two clones, as on two machines, that meet in a bare repository. The first one's database decides for both. */
export interface Clones {
  story: Story;
  /** The directory of the second clone. */
  other: string;
  /** The bare repository. */
  remote: string;
  /** Works in the second clone as somebody, with the decisions of the first. */
  there<T>(as: string, work: (workflow: Workflow) => Promise<T>, more?: Partial<Workflow>): Promise<T>;
  /** A stream with one commit that is written in the second clone, and pushed from there unless told otherwise. */
  streamThere(as: string, files: Files, options?: { pushed?: boolean }): Promise<Work>;
  /** A commit of the bare repository. */
  at(branch: string): string | undefined;
}

export async function startClones(options: StoryOptions = {}): Promise<Clones> {
  const story = await startStory(options);
  const { git } = story;
  const [remote, other] = [`${git.top}/remote.git`, `${git.top}/other`];
  git.git('init', '--quiet', '--bare', '--initial-branch=main', remote);
  git.git('remote', 'add', 'origin', remote);
  git.git('push', '--quiet', 'origin', 'main');
  git.gitIn(git.top, 'clone', '--quiet', remote, other);
  signAs(git, other, 'Olga');
  const environment = readEnvironment(storyEnv);
  await initApp({ dir: other, environment, request: { owner: 'Olga' } });
  // Its settings are those of the first one's database.
  rmSync(`${other}/.gitswarm/config.yml`);
  story.shared = { remote: 'origin' };

  const there: Clones['there'] = async (as, work, more = {}) => {
    const [decides, app] = await Promise.all([
      openApp({ dir: story.dir, environment }),
      openApp({ dir: other, environment }),
    ]);
    try {
      const actor = await decides.workflow().authority.call(showAgent, { agent: as });
      const { authority, repo } = decides.workflow({ actor });
      const workflow = {
        ...app.workflow({ actor }),
        authority,
        repo,
        shared: { remote: 'origin' },
        holder: AWAY,
        ...more,
      };
      await recover(workflow);
      return await work(workflow);
    } finally {
      await Promise.all([decides.close(), app.close()]);
    }
  };
  return {
    story,
    other,
    remote,
    there,
    async streamThere(as, files, { pushed = true } = {}) {
      return there(as, async (workflow) => {
        const { stream, path } = await createWorkspace(workflow, {});
        git.write(files, path);
        await commitStream(workflow, { stream: stream.id, message: 'change' });
        if (pushed) await pushStreams(workflow);
        return { id: stream.id, path, branch: stream.branch };
      });
    },
    at: (branch) => {
      const { status, stdout } = git.tryGit(
        remote,
        'rev-parse',
        '--verify',
        '--quiet',
        `refs/heads/${branch}`,
      );
      return status === 0 ? stdout.trim() : undefined;
    },
  };
}
