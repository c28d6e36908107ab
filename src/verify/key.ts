/** Verifier keys: `name+id+key` (C2SP signed-note, Verifier keys). */
import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { decodeBase64 } from './encoding.ts';
import { Refuted } from './fault.ts';

/** Signature type identifiers (signed-note, Signature types). */
export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;
/** Known by name only: such signatures are reported as not checked, and count for nothing. */
export const ML_DSA_44 = 0x06;

/** Bytes of a public key of each type. */
const KEY_BYTES: Readonly<Record<number, number>> = {
  [ED25519]: 32,
  [COSIGNATURE]: 32,
  [ML_DSA_44]: 1312,
};

export interface VerifierKey {
  name: string;
  /** Eight lower-case hexadecimal digits. */
  id: string;
  type: number;
  /** The public key, in the encoding of its type. */
  material: Buffer;
}

/** One or more characters, without what the Unicode standard calls white space, and plus. */
export function isKeyName(name: string): boolean {
  return /^[^\p{White_Space}+]+$/u.test(name);
}

/** Reads a key. Throws `KEY_MALFORMED`, and `KEY_UNSUITED` for a type that is none of `types`. */
export function parseVerifierKey(text: string, types: readonly number[]): VerifierKey {
  const [, name = '', id = '', encoded = ''] = /^([^+]*)\+([^+]*)\+(.*)$/u.exec(text) ?? [];
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id) || !bytes) throw new Refuted('KEY_MALFORMED');
  const [type = 0] = bytes;
  if (!types.includes(type)) throw new Refuted('KEY_UNSUITED');
  const key = { name, id, type, material: bytes.subarray(1) };
  const isWhole = key.material.length === KEY_BYTES[type];
  if (!isWhole || keyId(name, type, key.material) !== id) throw new Refuted('KEY_MALFORMED');
  return key;
}

/** The first four bytes of SHA-256 over name, line feed, type and public key, in hexadecimal. */
export function keyId(name: string, type: number, material: Uint8Array): string {
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), material]);
  return hash('sha256', named, 'hex').slice(0, 8);
}

/** Writes the key as it is read. */
export function formatVerifierKey({ name, id, type, material }: VerifierKey): string {
  return `${name}+${id}+${Buffer.concat([Buffer.of(type), material]).toString('base64')}`;
}

/** The public key for `node:crypto`, of the types that rest on Ed25519. */
export function ed25519KeyOf({ material }: VerifierKey): KeyObject {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: material.toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}
