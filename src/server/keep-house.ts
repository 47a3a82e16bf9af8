import limit from 'p-limit';
import { listRepos } from '../contract/hosting.ts';
import type { Repo } from '../contract/repos.ts';
import { localAuthority } from '../operations/authority.ts';
import type { Face } from './face.ts';

/** How often a server does what nobody asks for, unless it is told otherwise. */
export const HOUSE_EVERY_MS = 20_000;
/** Repositories whose webhooks are sent at the same time: one receiver that does not answer keeps few waiting. */
const SENDERS = 8;
const LOOK_EVERY_MS = 1000;

/**
 * Does what time alone makes due in every repository, at once and again and again until the server stops. Of the servers
 * that share a data directory one does it. Webhooks go out beside it: a slow receiver must not keep leases waiting.
 */
export function keepHouse(
  face: Face,
  { onFailure, everyMs }: { onFailure: (error: unknown) => void; everyMs: number },
): void {
  const { hosted } = face.server;
  const ending = new AbortController();
  face.onStop(() => ending.abort());
  const tidy = async () => {
    // One repository that cannot be looked after must not keep the others waiting.
    for await (const repo of activeRepos(face)) await hosted.keepHouse(repo.id).catch(onFailure);
    face.wake();
    sending();
  };
  const send = async () => {
    const sender = limit(SENDERS);
    const sent: Promise<void>[] = [];
    for await (const repo of activeRepos(face))
      sent.push(sender(() => hosted.deliver(repo.id, ending.signal)).catch(onFailure));
    await Promise.all(sent);
    face.wake();
  };
  const sending = oneAtATime(face, () => inHouse(face, 'send', send));
  const tidying = oneAtATime(face, () => inHouse(face, 'tidy', tidy));
  againAndAgain(face, { everyMs, round: tidying });
  onDeath(face, tidying);
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
