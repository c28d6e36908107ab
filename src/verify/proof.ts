/** Proofs of inclusion (C2SP tlog-proof), which are receipts when they carry their record. */
import { decodeBase64, decodeDecimal, decodeHash } from './encoding.ts';
import { Refuted } from './fault.ts';
import { NOTE_BYTES_MAX } from './note.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** The largest that `evidence.record_bytes_max` may be. */
export const RECORD_BYTES_MAX = 67_108_864;
/** A record in base64, and the note with room for the path. */
export const PROOF_BYTES_MAX = Math.ceil(RECORD_BYTES_MAX / 3) * 4 + 2 * NOTE_BYTES_MAX;
/** As many as any proof over sizes of 64 bits has. */
export const PATH_LENGTH_MAX = 63;

export interface Proof {
  index: number;
  /** From the sibling of the leaf upwards. */
  path: readonly Buffer[];
  /** A signed note. */
  checkpoint: Uint8Array;
  /** What the `extra` line carries. */
  extra: Buffer | undefined;
}

/** Takes a proof apart. Nothing of it is proved yet. Throws `TOO_LARGE` and `PROOF_MALFORMED`. */
export function parseProof(bytes: Uint8Array): Proof {
  if (bytes.length > PROOF_BYTES_MAX) {
    throw new Refuted('TOO_LARGE', `a receipt has at most ${PROOF_BYTES_MAX} bytes`);
  }
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const empty = file.indexOf('\n\n');
  if (empty === -1) throw malformed('it holds no checkpoint');
  // One character a byte: a byte that is not ASCII is none of those that are looked for.
  const lines = file.toString('latin1', 0, empty).split('\n');
  if (lines.shift() !== HEADER) throw malformed('its first line is another');
  const extra = readExtra(lines);
  const index = readIndex(lines.shift());
  if (lines.length > PATH_LENGTH_MAX) throw malformed('its path is too long');
  return { index, path: lines.map(readHash), checkpoint: file.subarray(empty + 2), extra };
}

/** Takes the line away where there is one. */
function readExtra(lines: string[]): Buffer | undefined {
  if (!lines[0]?.startsWith('extra ')) return undefined;
  const bytes = decodeBase64((lines.shift() as string).slice('extra '.length));
  if (!bytes) throw malformed('its extra data are no base64');
  return bytes;
}

function readIndex(line = ''): number {
  const index = line.startsWith('index ') ? decodeDecimal(line.slice('index '.length)) : undefined;
  if (index === undefined) throw malformed('it names no index');
  return index;
}

function readHash(line: string): Buffer {
  const found = decodeHash(line);
  if (!found) throw malformed('a line of its path is no hash');
  return found;
}

function malformed(why: string): Refuted {
  return new Refuted('PROOF_MALFORMED', `the receipt is not a proof: ${why}`);
}
