/**
 * What is kept of a tree beside its records: the newest checkpoint (C2SP tlog-checkpoint), and the
 * public keys that signed checkpoints, each with the size of the tree at which it began. Both are
 * read back as what somebody else may have written.
 */
import { join } from 'node:path';
import { PortcullisError } from '../../errors.ts';
import type { EvidenceFiles } from '../files.ts';
import { HASH_BYTES } from './hash.ts';
import {
  type NoteFault,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseVerifier,
  signNote,
} from './note.ts';
import { readWhole, replaceFile } from './whole_file.ts';

/** The root that was signed for a size of the tree. */
export interface Checkpoint {
  size: number;
  root: Buffer;
  /** The signed note. */
  note: string;
}

/** A key and the size of the tree at which it began to sign. */
export interface SigningKey {
  from: number;
  verifier: NoteVerifier;
}

/** What a directory holds of earlier processes. */
export interface SignedState {
  checkpoint: Checkpoint | undefined;
  keys: SigningKey[];
}

const CHECKPOINT = 'checkpoint';
const KEYS = 'keys';
/** Room for the signatures of many keys and witnesses, of which those of ML-DSA are long. */
const CHECKPOINT_BYTES_MAX = 262_144;
const KEYS_BYTES_MAX = 1_048_576;

/** Signs the root of a tree. */
export function signCheckpoint(
  origin: string,
  size: number,
  root: Uint8Array,
  signers: readonly NoteSigner[],
): Checkpoint {
  const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  return { size, root: Buffer.from(root), note: signNote(text, signers) };
}

/** Makes a checkpoint the one of a directory, durably, or changes nothing. */
export function storeCheckpoint(
  files: EvidenceFiles,
  directory: string,
  { note }: Checkpoint,
): Promise<void> {
  return replaceFile(files, directory, CHECKPOINT, note);
}

/** Lists the keys of a directory anew, durably, or changes nothing. */
export function storeKeys(
  files: EvidenceFiles,
  directory: string,
  keys: readonly SigningKey[],
): Promise<void> {
  const lines = keys.map(({ from, verifier }) => `${from} ${verifier.vkey}\n`);
  return replaceFile(files, directory, KEYS, lines.join(''));
}

/** The name of the log whose checkpoint a directory holds; undefined where there is none. */
export async function originOf(
  files: EvidenceFiles,
  directory: string,
): Promise<string | undefined> {
  const note = await readWhole(files, join(directory, CHECKPOINT), CHECKPOINT_BYTES_MAX);
  return note?.slice(0, note.indexOf('\n'));
}

/**
 * What an earlier process signed, checked against the keys that it listed. Throws
 * `EVIDENCE_DAMAGED` where it is not what such a process wrote, or is of another log.
 */
export async function readSignedState(
  files: EvidenceFiles,
  directory: string,
  origin: string,
): Promise<SignedState> {
  const listed = await readWhole(files, join(directory, KEYS), KEYS_BYTES_MAX);
  const note = await readWhole(files, join(directory, CHECKPOINT), CHECKPOINT_BYTES_MAX);
  const keys = listed === undefined ? [] : parseKeys(directory, listed);
  if (note === undefined) return { checkpoint: undefined, keys };
  if (listed === undefined) {
    throw damagedFile(directory, KEYS, 'is missing, and with it what checks the checkpoint');
  }
  const verifiers = keys.map(({ verifier }) => verifier);
  return { checkpoint: parseCheckpoint(directory, note, origin, verifiers), keys };
}

function parseKeys(directory: string, text: string): SigningKey[] {
  const keys = text.split('\n').slice(0, -1).map(parseKey);
  const fits = keys.every((key, at) => key && (keys[at - 1]?.from ?? 0) <= key.from);
  // Also of a text that is empty: a list has one key at least.
  if (!fits || !text.endsWith('\n')) {
    throw damagedFile(directory, KEYS, 'is not what was written');
  }
  return keys as SigningKey[];
}

function parseKey(line: string): SigningKey | undefined {
  const [, from = '', vkey = ''] = /^(0|[1-9]\d{0,15}) (\S+)$/.exec(line) ?? [];
  const verifier = parseVerifier(vkey);
  return verifier && { from: Number(from), verifier };
}

/** Origin, size and root, each on a line of its own, and no line more. */
const TEXT = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/;

const FAULTS: Readonly<Record<NoteFault, string>> = {
  malformed: 'is not what was written',
  false: 'is not signed by the key that it names',
  unsigned: `is signed by no key that the file \`${KEYS}\` beside it lists`,
};

function parseCheckpoint(
  directory: string,
  note: string,
  origin: string,
  verifiers: readonly NoteVerifier[],
): Checkpoint {
  const found = TEXT.exec(note.slice(0, note.indexOf('\n\n') + 1));
  if (found && found[1] !== origin) {
    const fault = `is of the log \`${found[1]}\`, and evidence.origin is \`${origin}\``;
    const remedy = 'set that to the name of this log, or evidence.directory to another folder';
    throw damagedFile(directory, CHECKPOINT, `${fault}: ${remedy}`);
  }
  const opened = openNote(note, verifiers);
  if ('fault' in opened) throw damagedFile(directory, CHECKPOINT, FAULTS[opened.fault]);
  const [, , size = '', root = ''] = TEXT.exec(opened.text) ?? [];
  const bytes = Buffer.from(root, 'base64');
  if (bytes.length !== HASH_BYTES || !Number.isSafeInteger(Number(size))) {
    throw damagedFile(directory, CHECKPOINT, FAULTS.malformed);
  }
  return { size: Number(size), root: bytes, note };
}

function damagedFile(directory: string, name: string, fault: string): PortcullisError {
  return new PortcullisError('EVIDENCE_DAMAGED', `\`${join(directory, name)}\` ${fault}`);
}

/** A log that signed something and lost it cannot prove any more that it kept its word. */
export function missingCheckpoint(directory: string): PortcullisError {
  return damagedFile(directory, CHECKPOINT, 'is missing, and the log signed one before');
}
