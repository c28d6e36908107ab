/**
 * What the decision service keeps of the tokens that it takes: `{"tokens": [{"id", "stored_key",
 * "server_key", "scopes", "tenants"?, "expires"?}]}`, mode 0600. No token can be had from it, and
 * none of its members is one (contract/proof.ts). It is read again when it changes. While it cannot
 * be read or is not what it must be, nobody is known over TCP: a mistake in it must not keep a
 * revoked token alive.
 */
import { existsSync } from 'node:fs';
import type { Clock } from '../contract/ambient.ts';
import { jsonFaultText, schemaFaultText } from '../contract/fault_text.ts';
import { parseJson } from '../contract/json.ts';
import { keysOf, type TokenHashes } from '../contract/proof.ts';
import { compileSchema } from '../contract/validate.ts';
import type { Scope } from '../decision/types.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { SCOPES, type CallerToken, type TokenSource } from './authentication.ts';
import {
  ensurePrivateFile,
  privateFileFault,
  readPrivateFile,
  changePrivateFile,
  type PrivateFile,
} from './private_file.ts';
import { ensureTokenFile, readTokens } from './token_file.ts';
import { watchFiles } from './watched_files.ts';

/** An entry as it is written. */
export interface HashedToken {
  id: string;
  /** Base64url of 32 bytes, as `server_key`. */
  stored_key: string;
  server_key: string;
  scopes: readonly Scope[];
  /** Tenants whose subjects its holder may ask for; absent: all. */
  tenants?: readonly string[];
  /** RFC 3339, from which on it counts no longer. */
  expires?: string;
}

const KEY = { type: 'string', pattern: '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$' };

/** Who may call, as it is written for a token and for a certificate. */
export const GRANT = {
  id: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
  scopes: { type: 'array', items: { enum: SCOPES }, minItems: 1, uniqueItems: true },
  tenants: {
    type: 'array',
    items: { type: 'string', minLength: 1, maxLength: 256 },
    minItems: 1,
    maxItems: 256,
    uniqueItems: true,
  },
};

const validate = compileSchema<{ tokens: HashedToken[] }>({
  $id: 'urn:portcullis:schema:token_hashes',
  type: 'object',
  properties: {
    tokens: {
      type: 'array',
      maxItems: 256,
      items: {
        type: 'object',
        properties: {
          ...GRANT,
          stored_key: KEY,
          server_key: KEY,
          expires: {
            type: 'string',
            pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$',
          },
        },
        required: ['id', 'stored_key', 'server_key', 'scopes'],
        additionalProperties: false,
      },
    },
  },
  required: ['tokens'],
  additionalProperties: false,
});

/** Reads the entries. Throws `CONFIGURATION_INVALID` with the place, never with a value. */
export function readHashedTokens(path: string): readonly HashedToken[] {
  const file = hashFile(path);
  const parsed = parseJson(readPrivateFile(file));
  if (!parsed.ok) throw notHashes(file, jsonFaultText(parsed.fault));
  if (holdsTokens(parsed.value)) throw holdsTokensFault(file);
  return checked(parsed.value, (why) => notHashes(file, why));
}

type Refuse = (why: string) => PortcullisError;

function checked(value: unknown, refuse: Refuse): readonly HashedToken[] {
  const read = validate(value);
  if (!read.ok) throw refuse(schemaFaultText(read.fault));
  const { tokens } = read.value;
  const ids = new Set(tokens.map(({ id }) => id));
  if (ids.size < tokens.length) throw refuse('it has an id twice');
  const timeless = tokens.findIndex(({ expires }) => Number.isNaN(Date.parse(expires ?? '2000')));
  if (timeless >= 0) throw refuse(`at \`/tokens/${timeless}/expires\` it is no time`);
  return tokens;
}

/** Changes the entries; a running service reads them within a second. */
export function changeHashedTokens(
  path: string,
  change: (tokens: readonly HashedToken[]) => readonly HashedToken[],
): void {
  const file = hashFile(path);
  changePrivateFile(file, () => {
    const changed = change(existsSync(path) ? readHashedTokens(path) : []);
    return textOf(checked({ tokens: changed }, notKept));
  });
}

/** What is kept of a token. */
export function hashedToken(
  token: string,
  grant: Omit<HashedToken, keyof TokenHashes>,
): HashedToken {
  const { stored_key, server_key } = keysOf(token);
  const { id, ...rest } = grant;
  return {
    id,
    stored_key: stored_key.toString('base64url'),
    server_key: server_key.toString('base64url'),
    ...rest,
  };
}

/**
 * Makes the file, unless there is one: of the tokens in the file of who holds them, which is made
 * too where it is absent. Throws `CONFIGURATION_INVALID`.
 */
export function ensureHashedTokens(path: string, held: string): void {
  if (existsSync(path)) return;
  ensureTokenFile(held);
  const tokens = readTokens(held).map(({ token, ...grant }) => hashedToken(token, grant));
  ensurePrivateFile(hashFile(path), () => textOf(tokens));
}

/** The tokens that count at this moment. */
export function watchedHashes(path: string, clock: Clock, log: Logger): TokenSource {
  const read = watchFiles({
    paths: [path],
    read: () => readHashedTokens(path).map(callerToken),
    clock,
    accepted: (tokens) =>
      log.info('the token file was read again', { callers: tokens.map(({ id }) => id) }),
    refused: (error) => {
      log.error('the token file cannot be used, so no token is taken', { error });
      return [];
    },
  });
  return {
    current() {
      const now_ms = clock.now_ms();
      const tokens = read();
      const isOver = ({ expires_ms = Infinity }: CallerToken): boolean => expires_ms <= now_ms;
      return tokens.some(isOver) ? tokens.filter((token) => !isOver(token)) : tokens;
    },
  };
}

function callerToken({ expires, ...token }: HashedToken): CallerToken {
  return {
    ...token,
    stored_key: Buffer.from(token.stored_key, 'base64url'),
    server_key: Buffer.from(token.server_key, 'base64url'),
    ...(expires !== undefined && { expires_ms: Date.parse(expires) }),
  };
}

function textOf(tokens: readonly HashedToken[]): string {
  return `${JSON.stringify({ tokens }, undefined, 2)}\n`;
}

/** A file from before tokens were hashed, or that of somebody who holds them. */
function holdsTokens(value: unknown): boolean {
  const { tokens } = (value ?? {}) as { tokens?: unknown };
  return (
    Array.isArray(tokens) && tokens.some((entry) => Object.hasOwn((entry ?? {}) as object, 'token'))
  );
}

function holdsTokensFault(file: PrivateFile): PortcullisError {
  return privateFileFault(
    file,
    'holds the tokens themselves, where the service keeps only what follows from them: set ' +
      'decision_point.token_file to it and pdp.token_file to another place, which is made of it',
  );
}

function notKept(why: string): PortcullisError {
  return new PortcullisError('ARGUMENT_INVALID', `such a token cannot be kept: ${why}`);
}

function notHashes(file: PrivateFile, why: string): PortcullisError {
  return privateFileFault(
    file,
    `cannot be used: ${why}; delete it, and the service makes it anew from ` +
      'decision_point.token_file, or write it with `portcullis token`',
  );
}

function hashFile(path: string): PrivateFile {
  return { path, what: 'file of token hashes' };
}
