/**
 * The next prefixes to test in a batch whose first `red` streams were red together: up to `count` of them, in equal
 * parts. Halves are rounded down, because the first of the bad ones is likelier to be early than late.
 */
export function nextPrefixes(red: number, count: number): number[] {
  const parts = Math.min(count, red - 1) + 1;
  return Array.from({ length: Math.max(0, parts - 1) }, (_, i) =>
    Math.max(i + 1, Math.floor(((i + 1) * red) / parts)),
  );
}
