import { createHash } from 'node:crypto';
import { assertOid } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGitBytes } from './run-git.ts';

/** What a commit changes. */
export interface Patch {
  /** The same after a pure rebase: neither places nor surrounding names of hunks count. Empty for no change. */
  patchId: string;
  /** All touched paths, a rename as both of its ends, in git's order. */
  paths: string[];
}

/** Full ids, plain output: what git prints depends on nothing but the two trees. */
const OPTIONS = [
  ...['--always', '--root', '-r', '-z', '--patch-with-raw', '-U3', '--full-index', '--no-renames'],
  ...['--src-prefix=a/', '--dst-prefix=b/', '--no-ext-diff', '--no-textconv', '--no-color'],
];

/** The change of each of these commits against its parent; commits that change nothing, and merges, have none. */
export async function patchesOf(repo: Repository, commits: readonly string[]): Promise<Patch[]> {
  return (await measurePatches(repo, commits)).patches;
}

/** The whole change from one commit to another. */
export async function patchBetween(repo: Repository, base: string, head: string): Promise<Patch> {
  return (await measurePatches(repo, [], { base, head })).whole;
}

/** The changes of single commits, and of a whole, from one process. */
export async function measurePatches(
  repo: Repository,
  commits: readonly string[],
  whole?: { base: string; head: string },
): Promise<{ patches: Patch[]; whole: Patch }> {
  const none: Patch = { patchId: '', paths: [] };
  for (const oid of [...commits, ...(whole ? [whole.base, whole.head] : [])]) assertOid(oid);
  if (commits.length === 0 && !whole) return { patches: [], whole: none };
  // git remembers a parent that was named for a commit, so the whole comes last.
  const questions = [...commits, ...(whole ? [`${whole.head} ${whole.base}`] : [])];
  const input = questions.map((question) => `${question}\n`).join('');
  const [only] = commits;
  const { stdout } =
    commits.length === 1 && !whole && only !== undefined
      ? await runGitBytes(repo, ['diff-tree', ...OPTIONS, only])
      : await runGitBytes(repo, ['diff-tree', '--stdin', ...OPTIONS], { input });
  const patches = parsePatches(stdout.toString('latin1'));
  return whole ? { patches: patches.slice(0, -1), whole: patches.at(-1) ?? none } : { patches, whole: none };
}

/** For each question: its id, the raw lines of what changed, an empty field, the patch. One character a byte. */
function parsePatches(text: string): Patch[] {
  const patches: Patch[] = [];
  for (let at = 0; at < text.length; ) {
    at = text.indexOf('\0', at) + 1;
    const paths: string[] = [];
    while (text[at] === ':') {
      const name = text.indexOf('\0', at) + 1;
      const end = text.indexOf('\0', name);
      paths.push(Buffer.from(text.slice(name, end), 'latin1').toString('utf8'));
      at = end + 1;
    }
    if (paths.length === 0) {
      patches.push({ patchId: '', paths });
      continue;
    }
    const end = endOfPatch(text, at + 1);
    patches.push({ patchId: patchIdOf(text.slice(at + 1, end)), paths });
    at = end;
  }
  return patches;
}

/** Lines of a patch begin with a word, a sign or a blank; only a question's id is followed by the end of a field. */
const NEXT = /\n(?=(?:[0-9a-f]{40}|[0-9a-f]{64})\0)/g;

function endOfPatch(text: string, from: number): number {
  NEXT.lastIndex = from;
  const found = NEXT.exec(text);
  return found ? found.index + 1 : text.length;
}

/** The lines of a patch without what changes when it is moved: where hunks are, and the blobs it leads from and to. */
function patchIdOf(patch: string): string {
  const lines: string[] = [];
  let index = '';
  for (const line of patch.split('\n')) {
    if (line.startsWith('@@')) lines.push('@@');
    // Of a file that is not text the blobs are all there is.
    else if (line.startsWith('Binary files ')) lines.push(index, line);
    else if (line.startsWith('index ')) index = line;
    else lines.push(line);
  }
  return createHash('sha1').update(lines.join('\n'), 'latin1').digest('hex');
}
