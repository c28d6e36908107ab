/** Files that prove us to a server, and it to us: tokens, headers, certificates. */
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../contract/ambient.ts';
import { systemReason } from '../contract/system_reason.ts';
import { findPathFault } from '../contract/trusted_path.ts';
import { PortcullisError } from '../errors.ts';
import { privateFileFault, readPrivateFile, type PrivateFile } from '../pdp/private_file.ts';

/** How long a change of a file may go unseen. */
const LOOK_INTERVAL_MS = 1_000;

const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/** A field line (RFC 9110, section 5) without obsolete folding. */
const HEADER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}):[ \t]*([\x20-\x7e]{1,8192})$/;

/** What the request itself says, or the connection (RFC 9110, section 7.6.1). */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whoever could write it would choose who is believed. */
export function readCertificate(what: string, path: string): Uint8Array {
  try {
    const fault = findPathFault(path);
    if (fault === undefined) return readFileSync(path);
    const message = `the ${what} \`${path}\` is not to be trusted: ${fault}`;
    throw new PortcullisError('CONFIGURATION_INVALID', message);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    const message = `the ${what} \`${path}\` cannot be read: ${systemReason(cause)}`;
    throw new PortcullisError('CONFIGURATION_INVALID', message, { cause });
  }
}

/**
 * The token of a file, which is looked at again, at most once a second, as it is asked for. Throws
 * `CONFIGURATION_INVALID` where there is none: the token before it may have been revoked.
 */
export function watchedToken(path: string, clock: Clock): () => string {
  return watched({ path, what: 'token file' }, readToken, clock);
}

/** The same for the headers of a file, by their names in lower case. */
export function watchedHeaders(path: string, clock: Clock): () => Record<string, string> {
  return watched({ path, what: 'headers file' }, readHeaders, clock);
}

function watched<T>(file: PrivateFile, read: (file: PrivateFile) => T, clock: Clock): () => T {
  let version = versionOf(file.path);
  let value: T | undefined = read(file);
  let looked_at_ms = clock.now_ms();
  return () => {
    const now_ms = clock.now_ms();
    const isDue = Math.abs(now_ms - looked_at_ms) >= LOOK_INTERVAL_MS;
    if (isDue) looked_at_ms = now_ms;
    const found = isDue ? versionOf(file.path) : version;
    if (found !== version) value = undefined;
    version = found;
    value ??= read(file);
    return value;
  };
}

function readToken(file: PrivateFile): string {
  const token = Buffer.from(readPrivateFile(file)).toString('latin1').trim();
  if (TOKEN.test(token)) return token;
  throw privateFileFault(file, 'must hold one token and nothing else');
}

function readHeaders(file: PrivateFile): Record<string, string> {
  const lines = Buffer.from(readPrivateFile(file)).toString('latin1').split(/\r?\n/);
  const headers: Record<string, string> = {};
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    const known = name.toLowerCase();
    const fault = headerFault(known, headers);
    if (fault) throw privateFileFault(file, `cannot be used: line ${at + 1} ${fault}`);
    headers[known] = value.trim();
  }
  return headers;
}

function headerFault(name: string, before: object): string | undefined {
  if (name === '') return 'is not of the form `Name: value`';
  if (OWN_HEADERS.has(name)) return 'names a header that is not free';
  return Object.hasOwn(before, name) ? 'names a header again' : undefined;
}
/** Changes whenever the file is written, replaced, or has its permissions changed. */
function versionOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return 'absent';
  return [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}
