/** The key of the deployment for digests of arguments and masked values: a file for its owner. */
import { randomBytes } from 'node:crypto';
import type { DigestKey } from '../contract/digest.ts';
import { jsonFaultText, schemaFaultText } from '../contract/fault_text.ts';
import { parseJson } from '../contract/json.ts';
import { compileSchema } from '../contract/validate.ts';
import {
  ensurePrivateFile,
  privateFileFault,
  readPrivateFile,
  type PrivateFile,
} from '../pdp/private_file.ts';

const validate = compileSchema<{ id: string; secret: string }>({
  $id: 'urn:portcullis:schema:digest_key',
  type: 'object',
  properties: {
    id: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
    secret: { type: 'string', pattern: '^[A-Za-z0-9_-]{43,1024}$' },
  },
  required: ['id', 'secret'],
  additionalProperties: false,
});

/** Reads the key, made on first use. Throws `CONFIGURATION_INVALID`. */
export function openDigestKey(path: string): DigestKey {
  const file: PrivateFile = { path, what: 'digest key file' };
  ensurePrivateFile(file, newKey);
  const parsed = parseJson(readPrivateFile(file));
  if (!parsed.ok) throw notAKey(file, jsonFaultText(parsed.fault));
  const read = validate(parsed.value);
  if (!read.ok) throw notAKey(file, schemaFaultText(read.fault));
  const { id, secret } = read.value;
  return { id, secret: Buffer.from(secret, 'base64url') };
}

function notAKey(file: PrivateFile, why: string): Error {
  const remedy = 'restore it, or delete it so that a new one is made';
  return privateFileFault(file, `cannot be used: ${why}; ${remedy}`);
}

function newKey(): string {
  const id = randomBytes(4).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return `${JSON.stringify({ id, secret })}\n`;
}
