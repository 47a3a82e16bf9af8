import { assertOid } from './oid.ts';
import { formatSignature, type Signature } from './person.ts';
import { checkRefName } from './ref-name.ts';
import { findRef, updateRefs } from './refs.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

/** Makes an annotated tag. One of that name that points at the same commit is left as it is. */
export async function writeTag(
  repo: Repository,
  tag: { name: string; commit: string; message: string; tagger: Signature },
): Promise<void> {
  assertOid(tag.commit);
  const ref = `refs/tags/${tag.name}`;
  checkRefName(ref);
  if ((await findRef(repo, ref)) !== undefined) return;
  const content = `object ${tag.commit}\ntype commit\ntag ${tag.name}\ntagger ${formatSignature(tag.tagger)}\n\n${tag.message}`;
  const { stdout } = await runGit(repo, ['mktag'], { input: content });
  await updateRefs(repo, [{ ref, old: null, new: stdout.trim() }], 'gitswarm: tag');
}
