import { existsSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import { handOverRepo, listMaintainers, type Repo } from '../contract/repos.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { listRepoRows, toRepo } from '../domain/repos/repos-store.ts';
import { type Authority, localAuthority } from '../operations/authority.ts';

/** The database beside a clone, where one is: it decided until a server did. */
export interface OwnRepository {
  repo: Repo;
  /** Asked by its owner. */
  authority: Authority;
  /** The last thing that is written here. */
  handOver(server: string, orgId: string | null): Promise<void>;
  close(): Promise<void>;
}

export async function openOwn(
  file: string,
  options: { durable: boolean },
): Promise<OwnRepository | undefined> {
  if (!existsSync(file)) return undefined;
  const database = openDatabase({ file }, options);
  const close = () => database.close();
  try {
    await migrate(database);
    const [row] = await listRepoRows(database.read, 1);
    if (!row) {
      await close();
      return undefined;
    }
    const repo = toRepo(row);
    const anyone = localAuthority({ database, clock: systemClock }, { repoId: repo.id });
    const { items } = await anyone.call(listMaintainers, { repoId: repo.id, limit: 200 });
    const authority = anyone.as(items.find(({ role }) => role === 'owner')?.agent.id);
    const handOver = async (server: string, orgId: string | null) => {
      if (repo.authority !== 'server') await authority.call(handOverRepo, { repoId: repo.id, server, orgId });
    };
    return { repo, authority, handOver, close };
  } catch (error) {
    await close();
    throw error;
  }
}
