/** The known name that a mistyped one was meant to be. Pure. */

/** Undefined where no known name is near enough to be worth a guess. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (best === undefined || distance < best.distance) best = { name: candidate, distance };
  }
  // A third of the letters, two at least: `prot` for `port`, `contxtWindw` for `contextWindow`, but not `a` for `id`.
  if (best !== undefined && best.distance <= Math.max(2, Math.floor(wanted.length / 3))) {
    if (best.distance < wanted.length) return best.name;
  }
  return known.find((candidate) => isPart(wanted, candidate.toLowerCase()));
}

/** `listenPort` for `listen`, `window` for `contextWindow`. */
function isPart(wanted: string, candidate: string): boolean {
  const [short, long] = wanted.length < candidate.length ? [wanted, candidate] : [candidate, wanted];
  return short.length >= 4 && (long.startsWith(short) || long.endsWith(short));
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? from.length;
}

/**
 * The known names that share most with one that is not known, the best first; none where nothing is alike.
 * For names of many parts, as models have: they are mistyped in their tags and prefixes, where shared runs of three
 * letters tell more than an edit distance.
 */
export function nearestFew(name: string, known: readonly string[], most = 3): readonly string[] {
  const wanted = trigrams(name);
  return [...new Set(known)]
    .map((candidate) => ({ candidate, shared: likeness(wanted, trigrams(candidate)) }))
    .filter(({ shared }) => shared > 0.2)
    .sort((one, other) => other.shared - one.shared || (one.candidate < other.candidate ? -1 : 1))
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

function trigrams(text: string): ReadonlySet<string> {
  const padded = `  ${text.toLowerCase().slice(0, 256)} `;
  const runs = new Set<string>();
  for (let at = 0; at + 3 <= padded.length; at++) runs.add(padded.slice(at, at + 3));
  return runs;
}

function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0;
  for (const run of one) if (other.has(run)) shared++;
  return (2 * shared) / (one.size + other.size);
}
