/** Checkpoints (C2SP tlog-checkpoint): what a log signs of its tree. */
import { decodeDecimal, decodeHash } from './encoding.ts';
import { Refuted } from './fault.ts';
import { ED25519, type VerifierKey } from './key.ts';
import { parseNote, type Note } from './note.ts';
import { isQuorumMet, type Policy } from './policy.ts';
import { knownSignatures, type KnownSignature } from './signature.ts';

/** Whom the reader trusts. */
export interface Trust {
  /** A key speaks for the log whose origin is its name. */
  logs: readonly VerifierKey[];
  policy: Policy;
}

export interface Checkpoint {
  origin: string;
  /** Number of leaves. */
  size: number;
  root: Buffer;
}

/** A checkpoint that the log signed and enough witnesses cosigned. */
export interface TrustedCheckpoint extends Checkpoint {
  /** The signed text. */
  text: string;
  /** By keys of the log. */
  signatures: readonly KnownSignature[];
  cosignatures: readonly KnownSignature[];
  /** Names of those whose signatures are of a type that is not checked here. */
  not_checked: readonly string[];
}

/** Reads a note and proves its signatures. Throws the fault of the first step that fails. */
export function openCheckpoint(bytes: Uint8Array, { logs, policy }: Trust): TrustedCheckpoint {
  const note = parseNote(bytes);
  const checkpoint = parseCheckpoint(note);
  const signatures = signaturesOfLog(note, checkpoint, logs);
  const found = knownSignatures(note, [...policy.witnesses.values()]);
  const cosignatures = found.filter(({ is_checked }) => is_checked);
  if (!isQuorumMet(policy, new Set(cosignatures.map(({ key }) => key)))) {
    throw new Refuted('QUORUM_UNMET');
  }
  const not_checked = found.filter((each) => !each.is_checked).map(({ key }) => key.name);
  return { ...checkpoint, text: note.text, signatures, cosignatures, not_checked };
}

/** Those by the keys of its origin. Throws `LOG_UNKNOWN` and where none of them is true. */
export function signaturesOfLog(
  note: Note,
  { origin }: Checkpoint,
  logs: readonly VerifierKey[],
): KnownSignature[] {
  const keys = logs.filter(({ name }) => name === origin);
  if (keys.length === 0) throw new Refuted('LOG_UNKNOWN');
  const signatures = knownSignatures(note, keys).filter(({ key }) => key.type === ED25519);
  if (signatures.length === 0) throw new Refuted('LOG_SIGNATURE_ABSENT');
  return signatures;
}

/** Origin, size, root, and extension lines, which mean nothing here. */
export function parseCheckpoint({ text }: Note): Checkpoint {
  const lines = text.slice(0, -1).split('\n');
  const [origin = '', size_text = '', root_text = ''] = lines;
  const size = decodeDecimal(size_text);
  const root = decodeHash(root_text);
  if (lines.includes('') || size === undefined || !root) throw new Refuted('CHECKPOINT_MALFORMED');
  return { origin, size, root };
}
