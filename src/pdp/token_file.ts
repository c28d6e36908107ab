/**
 * The file of bearer tokens: `{"tokens": [{"id", "token", "scopes"}]}`, mode 0600. It is read again
 * when it changes, so tokens rotate without a restart. While it cannot be read or is not what it
 * must be, nobody is known over TCP: a mistake in it must not keep a revoked token alive.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../contract/ambient.ts';
import { parseJson } from '../contract/json.ts';
import { compileSchema } from '../contract/validate.ts';
import { findFolderFault } from '../decision/remote/trusted_folder.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { SCOPES, type CallerToken, type TokenSource } from './authentication.ts';

/** How long a change of the file may go unseen. */
const LOOK_INTERVAL_MS = 1_000;
const OPEN_TO_OTHERS = 0o077;
const ROOT = 0;

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
  const parsed = parseJson(readPrivate(path));
  const tokens = parsed.ok ? validate(parsed.value) : parsed;
  if (!tokens.ok) throw invalid(path, 'is not a token file', tokens.fault.pointer);
  const ids = new Set(tokens.value.tokens.map(({ id }) => id));
  if (ids.size < tokens.value.tokens.length) throw invalid(path, 'has an id twice', '/tokens');
  return tokens.value.tokens;
}

/**
 * Makes a file with one token for everything, unless there is one. It appears whole or not at all,
 * because a guard that starts at the same moment reads it.
 */
export function ensureTokenFile(path: string): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const token: CallerToken = {
    id: 'default',
    token: randomBytes(32).toString('base64url'),
    scopes: SCOPES,
  };
  const text = `${JSON.stringify({ tokens: [token] }, undefined, 2)}\n`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (existsSync(path)) return;
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
    publish(draft, path);
  } catch (cause) {
    throw invalid(path, 'cannot be made', undefined, cause);
  }
}

/** A link, unlike a rename, never replaces what another process made in between. */
function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}

/** The tokens of a file, which is looked at again, at most once a second, as they are asked for. */
export function watchedTokens(path: string, clock: Clock, log: Logger): TokenSource {
  let tokens = readTokens(path);
  let version = versionOf(path);
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

function readPrivate(path: string): Uint8Array {
  try {
    requirePrivate(path);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw invalid(path, 'cannot be read', undefined, cause);
  }
}

function requirePrivate(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw invalid(path, 'does not exist');
  if (found.uid !== ROOT && found.uid !== process.geteuid?.()) {
    throw invalid(path, 'belongs to another user');
  }
  if ((found.mode & OPEN_TO_OTHERS) !== 0) {
    throw invalid(path, `is open to others (run: chmod 600 ${path})`);
  }
  const fault = findFolderFault(dirname(path));
  if (fault) throw invalid(path, `is not safe where it is: ${fault}`);
}

function invalid(path: string, fault: string, pointer?: string, cause?: unknown): PortcullisError {
  const place = pointer ? ` at ${pointer}` : '';
  const message = `the token file \`${path}\` ${fault}${place}`;
  return new PortcullisError('CONFIGURATION_INVALID', message, { cause });
}
