/**
 * The file of whoever holds tokens: `{"tokens": [{"id", "token", "scopes"}]}`, mode 0600. A guard
 * has one, and the wrapper over HTTP; the decision service keeps hashes (token_hashes.ts).
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../contract/ambient.ts';
import { jsonFaultText, schemaFaultText } from '../contract/fault_text.ts';
import { parseJson } from '../contract/json.ts';
import { keysOf, type HeldToken } from '../contract/proof.ts';
import { compileSchema } from '../contract/validate.ts';
import type { Scope } from '../decision/types.ts';
import type { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { SCOPES } from './authentication.ts';
import {
  ensurePrivateFile,
  privateFileFault,
  readPrivateFile,
  type PrivateFile,
} from './private_file.ts';
import { watchFiles } from './watched_files.ts';

/** A token as it is written down by who holds it. */
export interface WrittenToken {
  id: string;
  token: string;
  /** What it was given for. What it may do, the decision service says. */
  scopes: readonly Scope[];
}

/** Tokens that this process holds, at this moment. */
export interface HeldTokens {
  current(): readonly (HeldToken & Pick<WrittenToken, 'scopes'>)[];
}

const validate = compileSchema<{ tokens: WrittenToken[] }>({
  $id: 'urn:portcullis:schema:token_file',
  type: 'object',
  properties: {
    tokens: {
      type: 'array',
      minItems: 1,
      maxItems: 256,
      items: {
        type: 'object',
        properties: {
          id: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
          token: { type: 'string', pattern: '^[A-Za-z0-9._~+/=-]{32,256}$' },
          scopes: { type: 'array', items: { enum: SCOPES }, minItems: 1, uniqueItems: true },
        },
        required: ['id', 'token', 'scopes'],
        additionalProperties: false,
      },
    },
  },
  required: ['tokens'],
  additionalProperties: false,
});

/** Reads a token file. Throws `CONFIGURATION_INVALID` with the place, never with a token. */
export function readTokens(path: string): readonly WrittenToken[] {
  const file = tokenFile(path);
  const parsed = parseJson(readPrivateFile(file));
  if (!parsed.ok) throw notTokens(file, jsonFaultText(parsed.fault));
  const read = validate(parsed.value);
  if (!read.ok) throw notTokens(file, schemaFaultText(read.fault));
  const { tokens } = read.value;
  const ids = new Set(tokens.map(({ id }) => id));
  if (ids.size < tokens.length) throw notTokens(file, 'it has an id twice');
  return tokens;
}

const SHAPE =
  '{"tokens": [{"id": "default", "token": "<32 to 256 characters>", "scopes": ["decide"]}]}';

function notTokens(file: PrivateFile, why: string): PortcullisError {
  return privateFileFault(file, `cannot be used: ${why}; its shape is ${SHAPE}`);
}

/** A new token: 256 random bits. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Makes a file with one token for everything, unless there is one. */
export function ensureTokenFile(path: string): void {
  ensurePrivateFile(tokenFile(path), () => {
    const tokens: WrittenToken[] = [{ id: 'default', token: newToken(), scopes: SCOPES }];
    return `${JSON.stringify({ tokens }, undefined, 2)}\n`;
  });
}

/** The tokens of a file; none while it cannot be read or is not what it must be. */
export function watchedTokens(path: string, clock: Clock, log: Logger): HeldTokens {
  const current = watchFiles({
    paths: [path],
    read: () => readTokens(path).map(({ id, token, scopes }) => ({ id, scopes, ...keysOf(token) })),
    clock,
    accepted: (tokens) =>
      log.info('the token file was read again', { callers: tokens.map(({ id }) => id) }),
    refused: (error) => {
      log.error('the token file cannot be used, so no token is taken', { error });
      return [];
    },
  });
  return { current };
}

function tokenFile(path: string): PrivateFile {
  return { path, what: 'token file' };
}
