/** Signed notes (C2SP signed-note): a text, an empty line, and signature lines. */
import { decodeBase64, decodeUtf8 } from './encoding.ts';
import { Refuted } from './fault.ts';
import { isKeyName } from './key.ts';

export const NOTE_BYTES_MAX = 1_000_000;
const SIGNATURES_MAX = 100;
const KEY_ID_BYTES = 4;

export interface NoteSignature {
  name: string;
  /** Eight lower-case hexadecimal digits. */
  key_id: string;
  /** What follows the key id. */
  signature: Buffer;
  /** The line with its line feed. */
  line: string;
}

export interface Note {
  /** What is signed, with its last line feed. */
  text: string;
  signatures: readonly NoteSignature[];
}

/** Takes a note apart. Nothing of it is proved yet. Throws `TOO_LARGE` and `NOTE_MALFORMED`. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) {
    throw new Refuted('TOO_LARGE', `a note has at most ${NOTE_BYTES_MAX} bytes`);
  }
  const whole = decodeUtf8(bytes);
  if (whole === undefined || hasControls(whole)) throw malformed('it is no plain UTF-8 text');
  const empty = whole.lastIndexOf('\n\n');
  if (empty === -1 || !whole.endsWith('\n')) throw malformed('it has no signatures');
  const lines = whole.slice(empty + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) throw malformed(`it has more than ${SIGNATURES_MAX} of them`);
  return { text: whole.slice(0, empty + 1), signatures: lines.map(parseSignature) };
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^— ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || !bytes || bytes.length <= KEY_ID_BYTES) {
    throw malformed('a signature line is wrong');
  }
  return {
    name,
    key_id: bytes.toString('hex', 0, KEY_ID_BYTES),
    signature: bytes.subarray(KEY_ID_BYTES),
    line: `${line}\n`,
  };
}

function malformed(why: string): Refuted {
  return new Refuted('NOTE_MALFORMED', `the checkpoint is not a signed note: ${why}`);
}
