/** The body of an add-checkpoint request (C2SP tlog-witness). */
import { decodeDecimal, decodeHash } from '../verify/encoding.ts';
import { Refuted } from '../verify/fault.ts';
import { NOTE_BYTES_MAX } from '../verify/note.ts';
import { PATH_LENGTH_MAX } from '../verify/proof.ts';

/** A note, and the lines before it. */
export const SUBMISSION_BYTES_MAX = NOTE_BYTES_MAX + 4096;

export interface Submission {
  /** Size of the tree that the proof begins with. */
  old_size: number;
  /** A consistency proof. */
  path: readonly Buffer[];
  /** A signed note. */
  checkpoint: Uint8Array;
}

/** Takes a body apart. Throws `PROOF_MALFORMED`. */
export function parseSubmission(body: Buffer): Submission {
  const empty = body.indexOf('\n\n');
  const [first = '', ...lines] = body.toString('latin1', 0, Math.max(empty, 0)).split('\n');
  const old_size = first.startsWith('old ') ? decodeDecimal(first.slice('old '.length)) : undefined;
  const path = lines.map(decodeHash);
  if (old_size === undefined || path.length > PATH_LENGTH_MAX || !path.every(isThere)) {
    throw new Refuted('PROOF_MALFORMED', 'the lines before the checkpoint are wrong');
  }
  return { old_size, path, checkpoint: body.subarray(empty + 2) };
}

function isThere(hash: Buffer | undefined): hash is Buffer {
  return hash !== undefined;
}
