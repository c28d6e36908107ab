/**
 * Digests over canonical JSON (RFC 8785). A plain hash of a small value can be reversed by trying
 * values, so arguments and masked values are hashed under the deployment's key.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { canonicalJson } from './canonical.ts';

/** `sha256:<hex>` of a value. */
export function digestOf(value: unknown): string {
  return digestOfBytes(canonicalJson(value));
}

/** `sha256:<hex>` of bytes or UTF-8 text as they are. */
export function digestOfBytes(bytes: Uint8Array | string): string {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
}

/** A key for keyed digests; `id` is public and tells which key was used. */
export interface DigestKey {
  id: string;
  secret: Uint8Array;
}

/** `hmac-sha256:<key id>:<hex>` of a value. */
export function keyedDigestOf(key: DigestKey, value: unknown): string {
  const mac = createHmac('sha256', prepare(key)).update(canonicalJson(value)).digest('hex');
  return `hmac-sha256:${key.id}:${mac}`;
}

/** Preparing a key costs ten times as much as the digest of a small value (Node 24). */
const prepared = new WeakMap<DigestKey, KeyObject>();

function prepare(key: DigestKey): KeyObject {
  const known = prepared.get(key) ?? createSecretKey(key.secret);
  prepared.set(key, known);
  return known;
}
