/** Which records an index takes for hits, in order. Each is still to be judged. */
import { type Bits, STRETCH_RECORDS, intersect, noBits, placesIn, unite } from './bits.ts';
import { TIMED_RECORDS } from './catch_up.ts';
import { type IndexDatabase, termMaker } from './database.ts';
import { FIELD_NAMES, type RecordFilter } from './fields.ts';

export type Order = 'newest' | 'oldest';

/** From a record on, which is the first that may be a hit. */
export function* candidates(
  database: IndexDatabase,
  filter: RecordFilter,
  order: Order,
  start: number,
): Generator<number, undefined> {
  const state = database.state();
  if (!state || state.next === 0) return undefined;
  const termOf = termMaker(state.key);
  const terms = FIELD_NAMES.flatMap((field) => {
    const values = filter.fields[field];
    return values === undefined ? [] : [values.map((value) => termOf(field, value))];
  });
  const first = Math.floor(Math.min(start, state.next - 1) / STRETCH_RECORDS);
  const last = order === 'newest' ? 0 : Math.floor((state.next - 1) / STRETCH_RECORDS);
  const step = order === 'newest' ? -1 : 1;
  for (let stretch = first; stretch * step <= last * step; stretch += step) {
    const base = stretch * STRETCH_RECORDS;
    const [from, to] = placesWithin(database.times(stretch), filter);
    const end = Math.min(base + to, state.next);
    const bits = from < to ? setOf(database, stretch, terms) : noBits();
    const found = bits === 'all' ? range(base + from, end) : placesOf(bits, base, from, end);
    for (const index of order === 'newest' ? [...found].reverse() : found) {
      if (order === 'newest' ? index <= start : index >= start) yield index;
    }
  }
  return undefined;
}

/** The records of a stretch that have one of the values of each field. */
function setOf(
  database: IndexDatabase,
  stretch: number,
  terms: readonly (readonly number[])[],
): Bits | 'all' {
  let all: Bits | 'all' = 'all';
  for (const values of terms) {
    let some: Bits | undefined;
    for (const term of values) {
      const set = database.set(stretch, term);
      if (set) some = some ? unite(some, set) : set;
    }
    if (!some) return noBits();
    all = all === 'all' ? some : intersect(all, some);
  }
  return all;
}

/** Times in a log do not fall, so those of a few records bound those of the others. */
function placesWithin(times: Float64Array, { from_ms, to_ms }: RecordFilter): [number, number] {
  const begin = from_ms === undefined ? 0 : times.findLastIndex((time) => time < from_ms);
  const end = to_ms === undefined ? -1 : times.findIndex((time) => time >= to_ms);
  return [Math.max(0, begin) * TIMED_RECORDS, end === -1 ? STRETCH_RECORDS : end * TIMED_RECORDS];
}

function* range(from: number, to: number): Generator<number> {
  for (let index = from; index < to; index += 1) yield index;
}

function* placesOf(bits: Bits, base: number, from: number, end: number): Generator<number> {
  for (const place of placesIn(bits)) {
    if (place >= from && base + place < end) yield base + place;
  }
}
