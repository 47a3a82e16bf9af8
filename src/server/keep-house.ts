import { listRepos } from '../contract/hosting.ts';
import { localAuthority } from '../operations/authority.ts';
import type { Face } from './face.ts';

const EVERY_MS = 20_000;

/** Does what time alone makes due in every repository, again and again until the server stops. */
export function keepHouse(face: Face, onFailure: (error: unknown) => void): void {
  let isAtIt = false;
  const round = async () => {
    const authority = localAuthority(face.server.kernel, {});
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await authority.call(listRepos, { limit: 200, ...(cursor ? { cursor } : {}) });
      for (const repo of page.items) {
        if (repo.status !== 'active') continue;
        // One repository that cannot be looked after must not keep the others waiting.
        await face.server.hosted.keepHouse(repo.id).catch(onFailure);
      }
      cursor = page.nextCursor;
    }
    face.wake();
  };
  const timer = setInterval(() => {
    if (isAtIt) return;
    isAtIt = true;
    face.inBackground(() =>
      round().finally(() => {
        isAtIt = false;
      }),
    );
  }, EVERY_MS);
  timer.unref();
  face.onStop(() => clearInterval(timer));
}
