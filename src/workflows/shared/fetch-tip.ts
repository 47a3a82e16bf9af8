import { isOid } from '../../git/oid.ts';
import { branchRef } from '../../git/ref-name.ts';
import type { Workflow } from '../workflow.ts';
import { ASK_MS, callRemote, SEND_MS } from './call-remote.ts';

/**
 * The tip of a branch of a remote, fetched; undefined where it has none. Nothing is noted and no ref moves: whether this is
 * a remote to meet in is still asked. Throws unavailable.
 */
export async function fetchTip(
  place: Pick<Workflow, 'git' | 'signal'> & { shared: { remote: string } },
  branch: string,
): Promise<string | undefined> {
  const ref = branchRef(branch);
  const { remote } = place.shared;
  const asked = await callRemote(place, ['ls-remote', '--quiet', '--refs', '--', remote, ref], {
    timeoutMs: ASK_MS,
  });
  const tip = asked.stdout
    .split('\n')
    .map((line) => line.split('\t'))
    .find(([oid = '', name]) => name === ref && isOid(oid))?.[0];
  if (tip === undefined) return undefined;
  const quiet = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-prune', '--refmap='];
  const alone = ['--no-recurse-submodules', '--no-auto-maintenance'];
  await callRemote(place, ['fetch', ...quiet, ...alone, '--', remote, ref], { timeoutMs: SEND_MS });
  return (await place.git.objects.head(tip)) === undefined ? undefined : tip;
}
