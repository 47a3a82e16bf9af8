import picomatch from 'picomatch';

export interface OwnerRule {
  matches: (path: string) => boolean;
  owners: string[];
}

const MOST_RULES = 5000;

/** The rules of a CODEOWNERS file. Lines that cannot be read own nothing. */
export function parseOwners(text: string): OwnerRule[] {
  const rules: OwnerRule[] = [];
  for (const line of text.split('\n').slice(0, MOST_RULES)) {
    const [pattern, ...owners] = line
      .replace(/(^|\s)#.*/, '')
      .trim()
      .split(/\s+/);
    if (!pattern || pattern.length > 1000 || pattern.startsWith('!') || pattern.startsWith('[')) continue;
    rules.push({ matches: picomatch(globsOf(pattern), { dot: true, nonegate: true }), owners });
  }
  return rules;
}

/** The last rule that matches decides, as on the code hosts; one without names takes ownership away. */
export function ownersOf(path: string, rules: readonly OwnerRule[]): string[] {
  return rules.findLast((rule) => rule.matches(path))?.owners ?? [];
}

/** Patterns are those of .gitignore: without a slash in front or inside they match at any depth, a directory all below. */
export function globsOf(pattern: string): string[] {
  const isAnchored = pattern.slice(0, -1).includes('/');
  const bare = pattern.replace(/^\//, '').replace(/\/$/, '');
  const start = isAnchored ? bare : `**/${bare}`;
  if (pattern.endsWith('/')) return [`${start}/**`];
  return bare.endsWith('*') ? [start] : [start, `${start}/**`];
}
