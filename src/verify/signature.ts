/** The signatures of a note by keys that are known; those of others are passed over. */
import { verify } from 'node:crypto';
import { Refuted } from './fault.ts';
import { COSIGNATURE, ED25519, ed25519KeyOf, type VerifierKey } from './key.ts';
import type { Note, NoteSignature } from './note.ts';

const TIME_BYTES = 8;
/** The last second that RFC 3339 can write. */
const SECONDS_MAX = 253_402_300_799n;

export interface KnownSignature {
  key: VerifierKey;
  line: string;
  /** False where the type is known by name only. */
  is_checked: boolean;
  /** When a cosignature was made, in seconds since 1970-01-01T00:00:00Z. */
  time_s?: number;
}

type Check = (text: string, signature: Buffer, key: VerifierKey) => Partial<KnownSignature>;

const CHECKS: Readonly<Record<number, Check>> = {
  [ED25519]: checkPlain,
  [COSIGNATURE]: checkCosignature,
};

/**
 * One for each signature line whose name and id are those of a key. Throws `SIGNATURE_INVALID`
 * where one is false: who made that note is not honest, or it was changed on its way.
 */
export function knownSignatures(note: Note, keys: readonly VerifierKey[]): KnownSignature[] {
  return note.signatures.flatMap((line) =>
    keys.filter((key) => isBy(key, line)).map((key) => checked(note.text, line, key)),
  );
}

function isBy(key: VerifierKey, { name, key_id }: NoteSignature): boolean {
  return key.name === name && key.id === key_id;
}

function checked(text: string, { signature, line }: NoteSignature, key: VerifierKey) {
  const check = CHECKS[key.type];
  if (!check) return { key, line, is_checked: false };
  return { key, line, is_checked: true, ...check(text, signature, key) };
}

function checkPlain(text: string, signature: Buffer, key: VerifierKey): Partial<KnownSignature> {
  if (!verify(null, Buffer.from(text), ed25519KeyOf(key), signature)) throw invalid();
  return {};
}

/** C2SP tlog-cosignature, Ed25519 signed message. */
function checkCosignature(text: string, bytes: Buffer, key: VerifierKey): Partial<KnownSignature> {
  if (bytes.length <= TIME_BYTES) throw invalid();
  const time = bytes.readBigUInt64BE();
  if (time > SECONDS_MAX) throw invalid();
  const message = Buffer.from(cosignedMessage(text, Number(time)));
  if (!verify(null, message, ed25519KeyOf(key), bytes.subarray(TIME_BYTES))) throw invalid();
  return { time_s: Number(time) };
}

/** What a cosignature of that second signs. */
export function cosignedMessage(text: string, time_s: number): string {
  return `cosignature/v1\ntime ${time_s}\n${text}`;
}

function invalid(): Refuted {
  return new Refuted('SIGNATURE_INVALID');
}
