import { plainLine } from '../../base/plain-text.ts';
import { withoutPassword } from '../../base/without-password.ts';
import { assertOid } from '../../git/oid.ts';
import { checkRefName } from '../../git/ref-name.ts';
import type { SharedRemote, Workflow } from '../workflow.ts';
import { callRemote, SEND_MS } from './call-remote.ts';
import { note, seenRef } from './shared-refs.ts';

export interface RefPush {
  ref: string;
  /** What the remote must have there now; undefined: nothing. */
  old: string | undefined;
  new: string;
}

/** As many fit into the arguments of one process. */
const AT_ONCE = 100;

/**
 * Pushes each ref for which the remote still has the old value, and notes what it has then. Answers for each that was
 * not taken why. Throws unavailable where the remote cannot be reached; then it may have taken them or not.
 */
export async function pushRefs(
  workflow: Workflow,
  shared: SharedRemote,
  pushes: readonly RefPush[],
): Promise<Map<string, string>> {
  const why = new Map<string, string>();
  for (let at = 0; at < pushes.length; at += AT_ONCE) {
    for (const [ref, words] of await pushSome(workflow, shared, pushes.slice(at, at + AT_ONCE)))
      why.set(ref, words);
  }
  return why;
}

async function pushSome(
  workflow: Workflow,
  { remote }: SharedRemote,
  pushes: readonly RefPush[],
): Promise<Map<string, string>> {
  for (const { ref, new: to } of pushes) {
    checkRefName(ref);
    assertOid(to);
  }
  const plainPush = ['--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'];
  const leases = pushes.map(({ ref, old }) => `--force-with-lease=${ref}:${old ?? ''}`);
  const specs = pushes.map(({ ref, new: to }) => `${to}:${ref}`);
  const { stdout, stderr } = await callRemote(
    workflow,
    ['push', ...plainPush, ...leases, '--', remote, ...specs],
    { okExits: [0, 1], timeoutMs: SEND_MS },
  );
  const answers = readAnswers(stdout);
  const why = new Map<string, string>();
  for (const { ref, new: to } of pushes) {
    const answer = answers.get(ref);
    if (answer?.isTaken) await note(workflow, seenRef(ref), to);
    else why.set(ref, plainLine(withoutPassword(answer?.summary ?? stderr)).slice(0, 500));
  }
  return why;
}

/** git's lines for machines: `<flag> TAB <from>:<to> TAB <summary>`, where `!` is what was not taken. */
function readAnswers(stdout: string): Map<string, { isTaken: boolean; summary: string }> {
  const answers = new Map<string, { isTaken: boolean; summary: string }>();
  for (const line of stdout.split('\n')) {
    const found = /^([ +*=!])\t[^\t:]*:([^\t]+)\t(.*)$/.exec(line);
    if (found) answers.set(found[2] ?? '', { isTaken: found[1] !== '!', summary: found[3] ?? '' });
  }
  return answers;
}
