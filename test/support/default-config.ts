import { RepoConfig } from '../../src/contract/repo-files.ts';

/** The settings of a repository that sets none. */
export const defaultConfig: RepoConfig = RepoConfig.parse({});
