/**
 * The key of a witness and what it signs (C2SP tlog-cosignature, Ed25519). The file holds what Go's
 * `golang.org/x/mod/sumdb/note` writes of a signing key, `PRIVATE+KEY+name+id+key`, with the
 * signature type of cosignatures.
 */
import { createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { PortcullisError } from '../errors.ts';
import { decodeBase64 } from '../verify/encoding.ts';
import { COSIGNATURE, isKeyName, keyId, type VerifierKey } from '../verify/key.ts';
import { cosignedMessage } from '../verify/signature.ts';

const SEED_BYTES = 32;
const TIME_BYTES = 8;
/** PKCS #8 of Ed25519 up to the seed (RFC 8410, section 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface Cosigner {
  key: VerifierKey;
  /** The signature line over the text of a checkpoint. */
  cosign(text: string, time_s: number): string;
}

/** A key that was never there before, as the text of its file. Throws `ARGUMENT_INVALID`. */
export function newSigningKey(name: string): string {
  if (!isKeyName(name)) {
    const message = 'the name of a witness has no spaces and no plus';
    throw new PortcullisError('ARGUMENT_INVALID', message);
  }
  const seed = randomBytes(SEED_BYTES);
  const id = keyId(name, COSIGNATURE, publicBytes(privateKey(seed)));
  const encoded = Buffer.concat([Buffer.of(COSIGNATURE), seed]).toString('base64');
  return `PRIVATE+KEY+${name}+${id}+${encoded}\n`;
}

/** Reads a key; undefined where the text is none. */
export function openCosigner(text: string): Cosigner | undefined {
  const [, name = '', id, encoded = ''] =
    /^PRIVATE\+KEY\+([^+\n]+)\+([0-9a-f]{8})\+([^\n]+)\n?$/u.exec(text) ?? [];
  const bytes = decodeBase64(encoded);
  if (bytes?.length !== 1 + SEED_BYTES || bytes[0] !== COSIGNATURE) return undefined;
  const secret = privateKey(bytes.subarray(1));
  const material = publicBytes(secret);
  if (!isKeyName(name) || keyId(name, COSIGNATURE, material) !== id) return undefined;
  const key = { name, id, type: COSIGNATURE, material };
  return {
    key,
    cosign(text_signed, time_s) {
      const time = Buffer.alloc(TIME_BYTES);
      time.writeBigUInt64BE(BigInt(time_s));
      const signature = sign(null, Buffer.from(cosignedMessage(text_signed, time_s)), secret);
      const line = Buffer.concat([Buffer.from(id, 'hex'), time, signature]);
      return `— ${name} ${line.toString('base64')}\n`;
    },
  };
}

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

function publicBytes(secret: KeyObject): Buffer {
  const { x = '' } = createPublicKey(secret).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}
