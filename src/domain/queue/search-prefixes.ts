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

/**
 * Prefixes between a green and a red one that cut what lies between them into parts of about equal weight, where the
 * weight of a landing says how likely it is the culprit. `weights[0]` is that of landing 1.
 */
export function cutByWeight(
  weights: readonly number[],
  { green, red }: { green: number; red: number },
  count: number,
): number[] {
  const places = red - green - 1;
  const parts = Math.min(Math.max(0, count), places) + 1;
  const upTo = [0];
  for (let i = green; i < red; i++) upTo.push((upTo.at(-1) ?? 0) + (weights[i] ?? 1));
  const total = upTo.at(-1) ?? 0;
  const cuts: number[] = [];
  for (let part = 1; part < parts; part++) {
    const wanted = (part * total) / parts;
    const off = (place: number) => Math.abs((upTo[place] ?? 0) - wanted);
    let best = (cuts.at(-1) ?? green) - green + 1;
    // As many places as there are cuts to come must stay free.
    for (let place = best + 1; place <= places - (parts - 1 - part); place++)
      if (off(place) < off(best)) best = place;
    cuts.push(green + best);
  }
  return cuts;
}
