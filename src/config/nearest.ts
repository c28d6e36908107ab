/** Longer than every name there is. */
const NAME_LENGTH_COMPARED = 128;

/** The name that somebody who mistyped one most likely meant, or undefined. */
export function nearestTo(name: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 4)) + 1;
  for (const candidate of candidates) {
    const steps = editDistance(name.slice(0, NAME_LENGTH_COMPARED), candidate);
    if (steps < least) [nearest, least] = [candidate, steps];
  }
  return nearest;
}

/** Levenshtein: fewest insertions, removals and replacements that turn one into the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
