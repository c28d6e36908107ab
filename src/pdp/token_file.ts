/**
 * The file of bearer tokens: `{"tokens": [{"id", "token", "scopes"}]}`, mode 0600. It is read again
 * when it changes, so tokens rotate without a restart. While it cannot be read or is not what it
 * must be, nobody is known over TCP: a mistake in it must not keep a revoked token alive.
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Clock } from '../contract/ambient.ts';
import { jsonFaultText, schemaFaultText } from '../contract/fault_text.ts';
import { parseJson } from '../contract/json.ts';
import { compileSchema } from '../contract/validate.ts';
import type { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { SCOPES, type CallerToken, type TokenSource } from './authentication.ts';
import {
  ensurePrivateFile,
  privateFileFault,
  readPrivateFile,
  type PrivateFile,
} from './private_file.ts';

/** How long a change of the file may go unseen. */
const LOOK_INTERVAL_MS = 1_000;

const validate = compileSchema<{ tokens: CallerToken[] }>({
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
export function readTokens(path: string): readonly CallerToken[] {
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
  const remedy = `delete it, and the service makes a new one at its start, or write ${SHAPE}`;
  return privateFileFault(file, `cannot be used: ${why}; ${remedy}`);
}

/** Makes a file with one token for everything, unless there is one. */
export function ensureTokenFile(path: string): void {
  ensurePrivateFile(tokenFile(path), () => {
    const token = randomBytes(32).toString('base64url');
    const tokens: CallerToken[] = [{ id: 'default', token, scopes: SCOPES }];
    return `${JSON.stringify({ tokens }, undefined, 2)}\n`;
  });
}

/** The tokens of a file, which is looked at again, at most once a second, as they are asked for. */
export function watchedTokens(path: string, clock: Clock, log: Logger): TokenSource {
  let version = versionOf(path);
  let tokens = readTokens(path);
  let looked_at_ms = clock.now_ms();
  return {
    current() {
      const now_ms = clock.now_ms();
      if (Math.abs(now_ms - looked_at_ms) < LOOK_INTERVAL_MS) return tokens;
      looked_at_ms = now_ms;
      const found = versionOf(path);
      if (found === version) return tokens;
      version = found;
      tokens = readTokensOrNone(path, log);
      return tokens;
    },
  };
}

function readTokensOrNone(path: string, log: Logger): readonly CallerToken[] {
  try {
    const tokens = readTokens(path);
    log.info('the token file was read again', { callers: tokens.map(({ id }) => id) });
    return tokens;
  } catch (error) {
    log.error('the token file cannot be used, so no token is taken', { error });
    return [];
  }
}

/** Changes whenever the file is written, replaced, or has its permissions changed. */
function versionOf(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return 'absent';
  }
}

function tokenFile(path: string): PrivateFile {
  return { path, what: 'token file' };
}
