/** A set of public keys (RFC 7517) that is not believed further than needed. */
import { createLocalJWKSet, errors, type CryptoKey } from 'jose';
import { Unproved } from '../proof.ts';

/** Most keys of one issuer: those in use, the next and the last ones; each is looked through. */
const KEYS_MAX = 64;

/** Finds the key that a header names. Yields undefined where there is none, or more than one. */
export type KeySet = (header: KeyHeader) => Promise<CryptoKey | undefined>;

/** The members of a header that choose a key; no other is heeded. */
export interface KeyHeader {
  alg: string;
  kid?: string | undefined;
}

/** Throws `Unproved` where it is no set of public keys. */
export function readKeySet(value: unknown): KeySet {
  const keys = isObject(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new Unproved('it is no set of keys');
  if (keys.length > KEYS_MAX) throw new Unproved(`it has more than ${KEYS_MAX} keys`);
  // Whoever can read such a set can sign.
  if (keys.some((key) => PRIVATE.some((member) => Object.hasOwn(key, member)))) {
    throw new Unproved('it holds a private or a shared key');
  }
  const find = createLocalJWKSet({ keys });
  return async ({ alg, kid }) => {
    try {
      return await find({ alg, ...(kid !== undefined && { kid }) });
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}

/** RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1; RFC 8037, section 2; RFC 9964. */
const PRIVATE = ['d', 'p', 'q', 'k', 'priv'];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
