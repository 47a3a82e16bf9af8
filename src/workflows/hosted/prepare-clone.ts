import { SwarmError } from '../../contract/errors.ts';
import { CONFIG_PATH, JSON_CONFIG_PATH, RepoConfig } from '../../contract/repo-files.ts';
import { writeCommit } from '../../git/commits.ts';
import { readBlob } from '../../git/objects.ts';
import { emptyTree } from '../../git/oid.ts';
import { signatureAt } from '../../git/person.ts';
import { branchRef } from '../../git/ref-name.ts';
import { findRef, updateRefs } from '../../git/refs.ts';
import { openRepository, type Repository } from '../../git/repository.ts';
import { runGit } from '../../git/run-git.ts';
import { parseConfigFile } from '../config-file.ts';

interface Given {
  inheritedEnv: Readonly<Record<string, string | undefined>>;
  config: Partial<RepoConfig> | Record<string, unknown>;
  now: number;
}

/**
 * Gives a new clone what a repository needs: a target, a buffer at its tip, and of what the remote calls its default
 * branch the name. Answers the settings the repository begins with.
 */
export async function prepareClone(directory: string, given: Given): Promise<RepoConfig> {
  const git = await openRepository(directory, { inheritedEnv: given.inheritedEnv });
  try {
    const config = await settingsOf(git, given.config);
    const target = branchRef(config.promote_target);
    const buffer = branchRef(config.buffer_branch);
    const tip = (await findRef(git, target)) ?? (await firstCommit(git, target, given.now));
    if (!(await findRef(git, buffer)))
      await updateRefs(git, [{ ref: buffer, old: null, new: tip }], 'gitswarm: init', { withCheckout: true });
    return config;
  } finally {
    await git.close();
  }
}

/** What was asked for, over what the cloned file says, with the default branch as target where neither names one. */
async function settingsOf(git: Repository, wanted: Given['config']): Promise<RepoConfig> {
  const { stdout } = await runGit(git, ['symbolic-ref', '--short', 'HEAD'], { okExits: [0, 1, 128] });
  const head = stdout.trim() || 'main';
  const file = (await readBlob(git, 'HEAD', CONFIG_PATH)) ?? (await readBlob(git, 'HEAD', JSON_CONFIG_PATH));
  const parsed = file ? parseConfigFile(file.toString('utf8')) : undefined;
  const own = parsed?.kind === 'unusable' ? {} : (parsed?.config ?? {});
  const target =
    wanted.promote_target ??
    (parsed && 'named' in parsed && parsed.named.includes('promote_target')
      ? parsed.config.promote_target
      : head);
  const config = RepoConfig.parse({ ...own, ...wanted, promote_target: target });
  if (config.promote_target === config.buffer_branch)
    throw new SwarmError('invalid', `The buffer and the target cannot both be "${config.buffer_branch}".`);
  return config;
}

/** An empty repository begins with an empty commit: there is nothing yet to build on. */
async function firstCommit(git: Repository, ref: string, now: number): Promise<string> {
  const { stdout } = await runGit(git, ['for-each-ref', '--count=1', 'refs/heads/']);
  if (stdout.trim() !== '')
    throw new SwarmError('invalid', `The repository has no branch ${ref.replace('refs/heads/', '')}.`, {
      fix: 'Name the branch to promote to: "config": {"promote_target": "…"}',
    });
  await runGit(git, ['mktree'], { input: '' });
  const author = signatureAt({ name: 'GitSwarm', email: 'gitswarm@agents.gitswarm.local' }, now);
  const tree = emptyTree(git.objectFormat);
  const commit = writeCommit(git, { tree, parents: [], message: 'Begin\n', author });
  await updateRefs(git, [{ ref, old: null, new: commit }], 'gitswarm: init', { withCheckout: true });
  return commit;
}
