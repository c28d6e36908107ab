/** Quantiles, and how runs that took turns are compared. */

/** What one run of a load found. */
export interface Latency {
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** The value below which this share of the values lies; they are sorted in place. */
export function quantile(values: number[] | Float64Array, share: number): number {
  if (values.length === 0) throw new Error('there is nothing to take a quantile of');
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] as number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A ratio with the lowest and highest that any pair of runs gave. */
export interface Compared {
  ratio: number;
  spread: [number, number];
}

/** Compares the runs of one round with each other, and takes the median over the rounds. */
export function compare<A, B>(
  pairs: readonly (readonly [A, B])[],
  of: (a: A, b: B) => number,
): Compared {
  const ratios = pairs.map(([a, b]) => of(a, b));
  if (!ratios.every((ratio) => Number.isFinite(ratio))) throw new Error('a ratio has no value');
  return { ratio: median(ratios), spread: [Math.min(...ratios), Math.max(...ratios)] };
}

/** Runs A, B, A, B, … so that whatever else the machine does meets both alike. */
export async function inTurns<A, B>(
  rounds: number,
  a: () => Promise<A>,
  b: () => Promise<B>,
): Promise<[A, B][]> {
  const pairs: [A, B][] = [];
  for (let round = 0; round < rounds; round += 1) pairs.push([await a(), await b()]);
  return pairs;
}
