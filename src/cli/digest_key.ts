/** The key of the deployment for digests of arguments and masked values: a file for its owner. */
import { randomBytes } from 'node:crypto';
import type { DigestKey } from '../contract/digest.ts';
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
  const read = parsed.ok ? validate(parsed.value) : parsed;
  if (!read.ok) throw privateFileFault(file, `is not a key at \`${read.fault.pointer}\``);
  const { id, secret } = read.value;
  return { id, secret: Buffer.from(secret, 'base64url') };
}

function newKey(): string {
  const id = randomBytes(4).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return `${JSON.stringify({ id, secret })}\n`;
}
