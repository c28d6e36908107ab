/** Sets of records within a stretch of the log, as the index keeps them. */

/** Records in a stretch. */
export const STRETCH_RECORDS = 16_384;
const SET_BYTES = STRETCH_RECORDS / 8;
const PLACE_BYTES = 2;

/** One bit for each record of a stretch. */
export type Bits = Uint8Array;

export function noBits(): Bits {
  return new Uint8Array(SET_BYTES);
}

function setBit(bits: Bits, place: number): void {
  bits[place >> 3] = (bits[place >> 3] as number) | (1 << (place & 7));
}

/** A few records as their rising places, many as their bits; which it is the length says. */
export function packPlaces(places: readonly number[]): Uint8Array {
  if (places.length * PLACE_BYTES < SET_BYTES) {
    return new Uint8Array(Uint16Array.from(places).buffer);
  }
  const bits = noBits();
  for (const place of places) setBit(bits, place);
  return bits;
}

/** What was packed; of bytes that were not, some set: whoever reads the index judges again. */
export function unpackBits(packed: Uint8Array): Bits {
  if (packed.length === SET_BYTES) return packed.slice();
  const bits = noBits();
  for (let at = 0; at + 1 < packed.length; at += PLACE_BYTES) {
    const place = (packed[at] as number) | ((packed[at + 1] as number) << 8);
    setBit(bits, place % STRETCH_RECORDS);
  }
  return bits;
}

/** Those that are in both; changes the first. */
export function intersect(one: Bits, other: Bits): Bits {
  for (let at = 0; at < SET_BYTES; at += 1) one[at] = (one[at] as number) & (other[at] as number);
  return one;
}

/** Those that are in one of both; changes the first. */
export function unite(one: Bits, other: Bits): Bits {
  for (let at = 0; at < SET_BYTES; at += 1) one[at] = (one[at] as number) | (other[at] as number);
  return one;
}

/** The places of a set, rising. */
export function* placesIn(bits: Bits): Generator<number> {
  for (let at = 0; at < SET_BYTES; at += 1) {
    const byte = bits[at] as number;
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit += 1) if (byte & (1 << bit)) yield at * 8 + bit;
  }
}
