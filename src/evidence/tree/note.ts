/**
 * Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature. A key is
 * known by its name and by 32 bits of a hash over the name, the type of the signature and the key,
 * so that another algorithm is another row in `ALGORITHMS` and changes no file.
 */
import {
  type KeyObject,
  createPrivateKey,
  createPublicKey,
  hash,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';

export interface NoteVerifier {
  name: string;
  /** 8 hexadecimal digits. */
  id: string;
  /** `<name>+<id>+<base64 of type and public key>`. */
  vkey: string;
  verifies(text: string, signature: Buffer): boolean;
}

export interface NoteSigner {
  verifier: NoteVerifier;
  sign(text: string): Buffer;
}

/** What a type of signature needs to be made and checked. */
interface Algorithm {
  private_bytes: number;
  public_bytes: number;
  /** From the private key as it stands in a file. */
  privateKey(secret: Buffer): KeyObject;
  publicKey(bytes: Buffer): KeyObject;
  publicBytes(key: KeyObject): Buffer;
}

const ED25519 = 0x01;
/** Of a private and of a public key (RFC 8032, section 5.1.5). */
export const ED25519_BYTES = 32;

/** DER of what stands before the 32 bytes of a key (RFC 8410, sections 4 and 7). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

const ALGORITHMS: ReadonlyMap<number, Algorithm> = new Map([
  [
    ED25519,
    {
      private_bytes: ED25519_BYTES,
      public_bytes: ED25519_BYTES,
      privateKey: (secret) => createPrivateKey(der(ED25519_PKCS8, secret, 'pkcs8')),
      publicKey: (bytes) => createPublicKey(der(ED25519_SPKI, bytes, 'spki')),
      publicBytes: (key) =>
        key.export({ format: 'der', type: 'spki' }).subarray(ED25519_SPKI.length),
    },
  ],
]);

function der<T extends 'pkcs8' | 'spki'>(head: Buffer, bytes: Buffer, type: T) {
  return { key: Buffer.concat([head, bytes]), format: 'der' as const, type };
}

/** The text of a new Ed25519 key from 32 random bytes, as `parseSigner` reads it. */
export function formatSigner(name: string, secret: Buffer): string {
  const { verifier } = signerOf(name, ED25519, secret) as NoteSigner;
  const key = Buffer.concat([Buffer.of(ED25519), secret]).toString('base64');
  return `PRIVATE+KEY+${name}+${verifier.id}+${key}`;
}

const SIGNER = /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;
const VERIFIER = /^([^\s+]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/]+={0,2})$/;

/** The key in `PRIVATE+KEY+<name>+<id>+<base64 of type and key>`; undefined where it is none. */
export function parseSigner(text: string): NoteSigner | undefined {
  const [, name = '', id, base64 = ''] = SIGNER.exec(text) ?? [];
  const [type = 0, ...secret] = Buffer.from(base64, 'base64');
  const signer = signerOf(name, type, Buffer.from(secret));
  return signer?.verifier.id === id ? signer : undefined;
}

function signerOf(name: string, type: number, secret: Buffer): NoteSigner | undefined {
  const algorithm = ALGORITHMS.get(type);
  if (algorithm?.private_bytes !== secret.length) return undefined;
  const key = algorithm.privateKey(secret);
  const public_key = algorithm.publicBytes(createPublicKey(key));
  const verifier = verifierOf(name, type, public_key) as NoteVerifier;
  return { verifier, sign: (text) => signBytes(null, Buffer.from(text), key) };
}

/** The key in a vkey; undefined where it is none, or of an algorithm that is not known. */
export function parseVerifier(vkey: string): NoteVerifier | undefined {
  const [, name = '', base64 = ''] = VERIFIER.exec(vkey) ?? [];
  const [type = 0, ...key] = Buffer.from(base64, 'base64');
  const verifier = verifierOf(name, type, Buffer.from(key));
  return verifier?.vkey === vkey ? verifier : undefined;
}

function verifierOf(name: string, type: number, key: Buffer): NoteVerifier | undefined {
  const algorithm = ALGORITHMS.get(type);
  if (algorithm?.public_bytes !== key.length) return undefined;
  const typed = Buffer.concat([Buffer.of(type), key]);
  const named = Buffer.concat([Buffer.from(`${name}\n`), typed]);
  const id = hash('sha256', named, 'buffer').toString('hex', 0, 4);
  const public_key = algorithm.publicKey(key);
  return {
    name,
    id,
    vkey: `${name}+${id}+${typed.toString('base64')}`,
    verifies: (text, signature) => verifyBytes(null, Buffer.from(text), public_key, signature),
  };
}

/** A text that ends with a line feed, signed by each of the keys. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const lines = signers.map((signer) => {
    const { name, id } = signer.verifier;
    const bytes = Buffer.concat([Buffer.from(id, 'hex'), signer.sign(text)]);
    return `— ${name} ${bytes.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** What is wrong with a note: it is none, a known key did not sign it so, or none did. */
export type NoteFault = 'malformed' | 'false' | 'unsigned';

const SIGNATURE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/;

/** The text of a note that one of the keys signed. Signatures of unknown keys do not matter. */
export function openNote(
  note: string,
  verifiers: readonly NoteVerifier[],
): { text: string } | { fault: NoteFault } {
  const end = note.lastIndexOf('\n\n');
  if (end === -1 || !note.endsWith('\n')) return { fault: 'malformed' };
  const text = note.slice(0, end + 1);
  let signed = false;
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, base64 = ''] = SIGNATURE.exec(line) ?? [];
    if (name === undefined) return { fault: 'malformed' };
    const bytes = Buffer.from(base64, 'base64');
    // Bits that count for nothing have one spelling.
    if (bytes.toString('base64') !== base64) return { fault: 'malformed' };
    const id = bytes.toString('hex', 0, 4);
    const verifier = verifiers.find((known) => known.name === name && known.id === id);
    if (!verifier) continue;
    if (!verifier.verifies(text, bytes.subarray(4))) return { fault: 'false' };
    signed = true;
  }
  return signed ? { text } : { fault: 'unsigned' };
}
