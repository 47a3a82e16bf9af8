// Longer words are not typing mistakes of ours, and the distance takes time by the product of both lengths.
const LONGEST = 64;

/** The candidate someone most likely meant, or undefined where none is near; the first of equals. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word === '' || word.length > LONGEST) return undefined;
  const lower = word.toLowerCase();
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    if (candidate.length > LONGEST) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    const isNear = distance <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (isNear && distance < candidate.length && (best === undefined || distance < best.distance)) {
      best = { candidate, distance };
    }
  }
  return best?.candidate ?? uniqueBeginning(lower, candidates);
}

/** Damerau-Levenshtein distance (unrestricted): insertions, deletions, replacements, swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  const [from, to] = [[...a], [...b]];
  const most = from.length + to.length;
  const width = to.length + 2;
  const cost = new Array<number>((from.length + 2) * width).fill(0);
  const at = (i: number, j: number) => cost[(i + 1) * width + j + 1] ?? most;
  const put = (i: number, j: number, value: number) => {
    cost[(i + 1) * width + j + 1] = value;
  };
  for (let i = -1; i <= from.length; i++) {
    put(i, -1, most);
    if (i >= 0) put(i, 0, i);
  }
  for (let j = 0; j <= to.length; j++) {
    put(-1, j, most);
    put(0, j, j);
  }
  const lastRow = new Map<string, number>();
  for (let i = 1; i <= from.length; i++) {
    let lastColumn = 0;
    for (let j = 1; j <= to.length; j++) {
      const row = lastRow.get(to[j - 1] ?? '') ?? 0;
      const isSame = from[i - 1] === to[j - 1];
      const swapped = at(row - 1, lastColumn - 1) + (i - row - 1) + 1 + (j - lastColumn - 1);
      put(i, j, Math.min(at(i - 1, j - 1) + (isSame ? 0 : 1), at(i, j - 1) + 1, at(i - 1, j) + 1, swapped));
      if (isSame) lastColumn = j;
    }
    lastRow.set(from[i - 1] ?? '', i);
  }
  return at(from.length, to.length);
}

/** `stab` means `stabilize` where nothing else begins so. */
function uniqueBeginning(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length < 3) return undefined;
  const found = [...candidates].filter((candidate) => candidate.toLowerCase().startsWith(word));
  return found.length === 1 ? found[0] : undefined;
}
