/** What is known of a landing that may have turned the buffer red. */
export interface Suspect {
  paths: readonly string[];
  /** Landings of its author that were reverted before. */
  reverted: number;
}

const MOST_OUTPUT = 200_000;

/** How likely each one is the culprit, as weights: its files are named in the output, it is large, its author was before. */
export function suspicion(suspects: readonly Suspect[], output: string): number[] {
  const text = output.slice(-MOST_OUTPUT);
  return suspects.map(({ paths, reverted }) => {
    const isNamed = paths.some((path) => text.includes(path) || mentionsName(text, path));
    return 1 + (isNamed ? 8 : 0) + Math.min(2, Math.log2(1 + paths.length) / 4) + Math.min(2, reverted / 2);
  });
}

/** The file's own name without its folder and last ending, where it is long enough to mean something. */
function mentionsName(text: string, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return name.length >= 5 && text.includes(name);
}
