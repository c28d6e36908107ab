/**
 * The state that a client carries between the rounds of one request (MCP 2026-07-28, mrtr). What a
 * server gives for it is sealed: a client can neither read it nor take it to another request, and
 * only the guard knows what was asked. It holds until it expires, and not only once: a server that
 * may act once only has to see to that itself, as the specification says.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { DigestKey } from '../contract/digest.ts';
import { isObject } from './message.ts';

/** Whose request a state belongs to, and which; it opens for no other. */
export interface Owner {
  principal: string;
  server: string;
  method: string;
  /** Of the capability. */
  name: string;
  arguments_digest: string;
}

export interface RequestState {
  /** The names under which something was asked. */
  asked: readonly string[];
  /** The server's own state, where it gave one. */
  inner?: string | undefined;
}

const VERSION = 'p1.';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Longest text of a sealed state. */
const LENGTH_MAX = 65_536;

/** Undefined where it would be longer than is taken back. */
export function sealState(
  key: DigestKey,
  owner: Owner,
  { asked, inner }: RequestState,
  expires_at_ms: number,
): string | undefined {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(key), iv).setAAD(bound(owner));
  const text = JSON.stringify({ asked, inner, expires_at_ms });
  const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]);
  const state = VERSION + Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64url');
  return state.length <= LENGTH_MAX ? state : undefined;
}

/** Undefined for everything that this guard did not seal for this owner, or that has expired. */
export function openState(
  key: DigestKey,
  owner: Owner,
  state: string,
  now_ms: number,
): RequestState | undefined {
  if (state.length > LENGTH_MAX || !state.startsWith(VERSION)) return undefined;
  const encoded = state.slice(VERSION.length);
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  // Two texts that decode alike are one state too many.
  if (bytes.toString('base64url') !== encoded) return undefined;
  const content = decipher(key, owner, bytes);
  if (content === undefined || !(content.expires_at_ms >= now_ms)) return undefined;
  return { asked: content.asked, inner: content.inner };
}

interface Content extends RequestState {
  expires_at_ms: number;
}

function decipher(key: DigestKey, owner: Owner, bytes: Buffer): Content | undefined {
  try {
    const tag = bytes.subarray(-TAG_BYTES);
    const opened = createDecipheriv(CIPHER, keyOf(key), bytes.subarray(0, IV_BYTES))
      .setAAD(bound(owner))
      .setAuthTag(tag);
    const text = opened.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8');
    const content: unknown = JSON.parse(text + opened.final('utf8'));
    return isObject(content) ? (content as unknown as Content) : undefined;
  } catch {
    return undefined;
  }
}

/** Authenticated with the state and not in it, so that it cannot be left uncompared. */
function bound({ principal, server, method, name, arguments_digest }: Owner): Buffer {
  return Buffer.from(JSON.stringify([principal, server, method, name, arguments_digest]));
}

const derived = new WeakMap<DigestKey, Uint8Array>();

/** A key of its own, so that no digest helps with a state (RFC 5869). */
function keyOf(key: DigestKey): Uint8Array {
  const known =
    derived.get(key) ?? new Uint8Array(hkdfSync('sha256', key.secret, key.id, 'request state', 32));
  derived.set(key, known);
  return known;
}
