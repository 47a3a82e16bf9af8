import * as z from 'zod';
import { isId } from '../base/ids.ts';

// Compiling a parser pays after some thousand inputs; most programs that load the contract parse a dozen.
z.config({ jitless: true });

/** A full UUID with dashes. */
export const Id = z.string().refine(isId, 'expected an id such as 0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e');
export type Id = z.infer<typeof Id>;

/**
 * What a person or program types to name a thing: a full id, a handle, a unique prefix of either, or a unique name.
 * It is looked up in the repository at hand; unknown and ambiguous ones are errors that list candidates.
 */
export const Ref = z.string().trim().min(1).max(300);
export type Ref = z.infer<typeof Ref>;

/** A commit, tree or blob id: SHA-1 or SHA-256 in lower-case hex. */
export const Oid = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a full object id');
export type Oid = z.infer<typeof Oid>;

/** ISO 8601 in UTC with milliseconds. */
export const Time = z.iso.datetime();

/** A short text a person reads on one line: no control characters. */
export function line(longest: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .refine((text) => !hasControl(text), 'must not contain control characters or line breaks');
}

/** Text of several lines; control characters other than tab and line break are refused. */
export function prose(longest: number) {
  return z
    .string()
    .max(longest)
    .refine((text) => !hasControl(text.replace(/[\t\n\r]/g, '')), 'must not contain control characters');
}

/** A path inside a repository, with forward slashes: never absolute, never leading out of it, never into .git. */
export const RepoPath = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => isInside(path), 'must be a relative path inside the repository');

/** A git branch name, before git itself has checked it. */
export const BranchName = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => isBranchLike(name), 'is not a usable branch name');

export const PageInput = {
  limit: z.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
};

export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export const AgentName = line(100);
export const Priority = z.enum(['low', 'medium', 'high', 'critical']);
export type Priority = z.infer<typeof Priority>;

function hasControl(text: string): boolean {
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 32 || (code >= 127 && code < 160) || code === 0x2028 || code === 0x2029) return true;
  }
  return false;
}

function isInside(path: string): boolean {
  if (path.startsWith('/') || path.includes('\\') || path.includes('\0')) return false;
  return path.split('/').every((part, i, all) => {
    if (part === '' && i === all.length - 1) return true;
    return part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git';
  });
}

/** The rules of git check-ref-format, and no leading dash. */
function isBranchLike(name: string): boolean {
  if (hasControl(name) || /[ ~^:?*[\\]/.test(name) || name.startsWith('-') || name === '@') return false;
  if (name.includes('..') || name.includes('@{') || name.endsWith('.') || name.endsWith('/')) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
