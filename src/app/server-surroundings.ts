import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/** What no command of a repository may look into: other repositories, the database and the operator's own files. */
export function hiddenFromCommands({
  dataDir,
  environment,
}: {
  dataDir: string;
  environment: Environment;
}): string[] {
  const { HOME } = environment.variables;
  const home = HOME?.startsWith('/') && HOME !== '/' && existsSync(HOME) ? [HOME] : [];
  return [...home, dataDir];
}

/**
 * What git and commands see of the server's surroundings: no secret of GitSwarm, and no configuration but the one in
 * the data directory.
 */
export function serverVariables(
  { variables }: Environment,
  dataDir: string,
): Record<string, string | undefined> {
  const kept = Object.entries(variables).filter(
    ([name]) => !name.startsWith('GITSWARM_') && !/^(REDIS_URL|DATABASE_URL|PG[A-Z]+)$/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    GIT_CONFIG_GLOBAL: join(dataDir, 'gitconfig'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
  };
}
