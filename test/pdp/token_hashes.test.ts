import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keysOf } from '../../src/contract/proof.ts';
import { SCOPES } from '../../src/pdp/authentication.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import {
  changeHashedTokens,
  ensureHashedTokens,
  hashedToken,
  readHashedTokens,
  watchedHashes,
  type HashedToken,
} from '../../src/pdp/token_hashes.ts';
import { privateFolder, recordingLog, TOKEN } from './fixture.ts';

let folder: ReturnType<typeof privateFolder>;
let path: string;
let held: string;
beforeEach(() => {
  folder = privateFolder();
  path = join(folder.path, 'token_hashes.json');
  held = join(folder.path, 'token');
});
afterEach(() => folder.remove());

const ENTRY = hashedToken(TOKEN, { id: 'caller', scopes: ['decide'] });

function write(tokens: unknown, mode = 0o600): void {
  const text = typeof tokens === 'string' ? tokens : JSON.stringify({ tokens });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

test('at the first start a token is made for its holder, and its hashes for the service', () => {
  ensureHashedTokens(path, held);
  const [token] = readTokens(held);
  expect(readHashedTokens(path)).toEqual([
    hashedToken(token!.token, { id: 'default', scopes: SCOPES }),
  ]);
  expect(readFileSync(path, 'utf8')).not.toContain(token!.token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('tokens from before they were hashed are taken over, and once', () => {
  writeFileSync(
    held,
    JSON.stringify({ tokens: [{ id: 'old', token: TOKEN, scopes: ['decide'] }] }),
  );
  chmodSync(held, 0o600);
  ensureHashedTokens(path, held);
  const taken = [hashedToken(TOKEN, { id: 'old', scopes: ['decide'] })];
  expect(readHashedTokens(path)).toEqual(taken);
  writeFileSync(held, JSON.stringify({ tokens: [{ id: 'x', token: TOKEN, scopes: ['search'] }] }));
  ensureHashedTokens(path, held);
  expect(readHashedTokens(path)).toEqual(taken);
});

test('a file that holds tokens is refused, with what to set', () => {
  write([{ id: 'old', token: TOKEN, scopes: ['decide'] }]);
  const refused = refusalOf(() => readHashedTokens(path));
  expect(refused.code).toBe('CONFIGURATION_INVALID');
  expect(refused.message).toContain('set decision_point.token_file to it and pdp.token_file to');
  expect(refused.message).not.toContain(TOKEN);
});

test.each<[string, unknown, string]>([
  ['not JSON', '{', 'it is not JSON'],
  ['a short key', [{ ...ENTRY, stored_key: 'x' }], 'at `/tokens/0/stored_key` it does not match'],
  [
    'no server key',
    [{ ...ENTRY, server_key: undefined }],
    'at `/tokens/0/server_key` this member is missing',
  ],
  [
    'an unknown scope',
    [{ ...ENTRY, scopes: ['all'] }],
    'at `/tokens/0/scopes/0` it must be one of',
  ],
  ['no tenant', [{ ...ENTRY, tenants: [] }], 'at `/tokens/0/tenants` it must have at least 1 item'],
  ['a time of no calendar', [{ ...ENTRY, expires: '2027-13-01T00:00:00Z' }], 'it is no time'],
  ['a time of a place', [{ ...ENTRY, expires: '2027-01-01T00:00:00+01:00' }], 'it does not match'],
  ['an unknown member', [{ ...ENTRY, admin: true }], 'this member is not known'],
  ['an id twice', [ENTRY, ENTRY], 'it has an id twice'],
])('a file with %s is refused with the place', (_what, tokens, fault) => {
  write(tokens);
  expect(refusalOf(() => readHashedTokens(path)).message).toContain(fault);
});

test('a file that others can read is refused', () => {
  write([ENTRY], 0o644);
  expect(refusalOf(() => readHashedTokens(path)).message).toContain('is open to others');
});

test('a token counts until its end, and not at it', () => {
  const expires = '2027-01-01T00:00:10Z';
  let now_ms = Date.parse(expires) - 1;
  write([
    { ...ENTRY, expires, tenants: ['acme'] },
    { ...ENTRY, id: 'other' },
  ]);
  const tokens = watchedHashes(path, { now_ms: () => now_ms }, recordingLog());
  const { stored_key, server_key } = keysOf(TOKEN);
  expect(tokens.current()[0]).toEqual({
    id: 'caller',
    stored_key,
    server_key,
    scopes: ['decide'],
    tenants: ['acme'],
    expires_ms: Date.parse(expires),
  });
  now_ms += 1;
  expect(tokens.current().map(({ id }) => id)).toEqual(['other']);
});

test('a change is taken within a second, and a file that cannot be used lets nobody in', () => {
  let now_ms = 0;
  const log = recordingLog();
  write([ENTRY]);
  const tokens = watchedHashes(path, { now_ms: () => now_ms }, log);
  const idsLater = () => {
    now_ms += 1_000;
    return tokens.current().map(({ id }) => id);
  };
  changeHashedTokens(path, (before) => [...before, { ...ENTRY, id: 'second' }]);
  expect([tokens.current().length, idsLater()]).toEqual([1, ['caller', 'second']]);
  write('{"tokens": [');
  expect(idsLater()).toEqual([]);
  write([{ id: 'old', token: TOKEN, scopes: ['decide'] }]);
  expect(idsLater()).toEqual([]);
  write([ENTRY]);
  expect(idsLater()).toEqual(['caller']);
  expect(log.lines.map(({ level }) => level)).toEqual(['info', 'error', 'error', 'info']);
  expect(inspect(log.lines, { depth: 9 })).not.toContain(TOKEN);
});

test('a change that breaks the file is not made, and leaves nothing behind', () => {
  write([ENTRY]);
  const bad = { ...ENTRY, id: 'a b' };
  const refused = refusalOf(() => changeHashedTokens(path, () => [bad]));
  expect(refused).toMatchObject({ code: 'ARGUMENT_INVALID' });
  expect(readHashedTokens(path)).toEqual([ENTRY]);
  expect(existsSync(`${path}.new`)).toBe(false);
});

test('two changes at a time are not both made, and a killed one is named', () => {
  write([ENTRY]);
  let inner = '';
  changeHashedTokens(path, (before) => {
    inner = refusalOf(() => changeHashedTokens(path, () => [])).message;
    return before;
  });
  expect(inner).toContain('is being changed by another command; if there is none,');
  expect(inner).toContain(`rm ${path}.new`);
  expect(readHashedTokens(path)).toEqual([ENTRY]);
});

function refusalOf(act: () => readonly HashedToken[] | void): { code: string; message: string } {
  try {
    act();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it was taken');
}
