import limit from 'p-limit';
import { isSwarmError } from '../contract/errors.ts';
import { listRepos } from '../contract/hosting.ts';
import type { Repo } from '../contract/repos.ts';
import { localAuthority } from '../operations/authority.ts';
import type { Face } from './face.ts';

/** How often a server does what nobody asks for, unless it is told otherwise. */
export const HOUSE_EVERY_MS = 20_000;
/** Repositories whose webhooks, pushes or tests run at the same time: what does not end keeps few waiting. */
const AT_ONCE = 8;
const LOOK_EVERY_MS = 1000;

/**
 * Does what time alone makes due in every repository, at once and again and again until the server stops. Of the servers
 * that share a data directory one does it. Webhooks, pushes, and tests of interrupted landings and of what councils have
 * decided go on beside it: what is slow there must keep neither leases nor other repositories waiting.
 */
export function keepHouse(
  face: Face,
  { onFailure, everyMs }: { onFailure: (error: unknown) => void; everyMs: number },
): void {
  const { hosted } = face.server;
  const stopping = new AbortController();
  face.onStop(() => stopping.abort());
  const pushing = beside(face, { signal: stopping.signal, work: (id) => hosted.push(id, stopping.signal) });
  const landing = beside(face, {
    signal: stopping.signal,
    async work(id) {
      if (await hosted.land(id)) pushing(id);
    },
  });
  const deciding = beside(face, {
    signal: stopping.signal,
    async work(id) {
      if (await hosted.carryOut(id)) pushing(id);
    },
  });
  const sending = beside(face, {
    signal: stopping.signal,
    work: (id) => hosted.deliver(id, stopping.signal),
  });
  const tidy = async () => {
    // One repository that cannot be looked after must not keep the others waiting.
    for await (const repo of activeRepos(face)) await hosted.keepHouse(repo.id).catch(onFailure);
    face.wake();
    for await (const repo of activeRepos(face)) {
      landing(repo.id);
      deciding(repo.id);
      pushing(repo.id);
      sending(repo.id);
    }
  };
  const tidying = oneAtATime(face, () => inHouse(face, 'tidy', tidy));
  againAndAgain(face, { everyMs, round: tidying });
  onDeath(face, tidying);
}

interface Outside {
  signal: AbortSignal;
  work(repoId: string): Promise<void>;
}

/** Does what waits for other machines or for tests beside everything else: of each repository once at a time, of few at once. */
function beside(face: Face, { signal, work }: Outside): (repoId: string) => void {
  const few = limit(AT_ONCE);
  const busy = new Set<string>();
  const run = async (repoId: string) => {
    if (signal.aborted) return;
    try {
      await work(repoId);
    } catch (error) {
      // Another server is at it.
      if (!isSwarmError(error, 'busy')) throw error;
    }
  };
  return (repoId) => {
    if (signal.aborted || busy.has(repoId)) return;
    busy.add(repoId);
    face.inBackground(() => few(() => run(repoId)).finally(() => busy.delete(repoId)));
  };
}

/** What another server has left when it died is not left lying until the next round. */
function onDeath(face: Face, tidy: () => void): void {
  const { fellows } = face.server;
  if (!fellows) return;
  let known = fellows.deaths();
  againAndAgain(face, {
    everyMs: LOOK_EVERY_MS,
    round() {
      const now = fellows.deaths();
      if (now > known) tidy();
      known = now;
    },
  });
}

function againAndAgain(face: Face, { everyMs, round }: { everyMs: number; round: () => void }): void {
  round();
  const timer = setInterval(round, everyMs);
  timer.unref();
  face.onStop(() => clearInterval(timer));
}

function inHouse({ server }: Face, name: string, work: () => Promise<void>): Promise<void> {
  return server.fellows ? server.fellows.inHouse(name, work) : work();
}

function oneAtATime(face: Face, work: () => Promise<void>): () => void {
  let isAtIt = false;
  return () => {
    if (isAtIt) return;
    isAtIt = true;
    face.inBackground(() =>
      work().finally(() => {
        isAtIt = false;
      }),
    );
  };
}

async function* activeRepos(face: Face): AsyncGenerator<Repo> {
  const authority = localAuthority(face.server.kernel, {});
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await authority.call(listRepos, { limit: 200, ...(cursor ? { cursor } : {}) });
    for (const repo of page.items) if (repo.status === 'active') yield repo;
    cursor = page.nextCursor;
  }
}
