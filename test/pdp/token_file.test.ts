import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ensureTokenFile, readTokens, watchedTokens } from '../../src/pdp/token_file.ts';
import { SCOPES } from '../../src/pdp/authentication.ts';
import { privateFolder, recordingLog, TOKEN } from './fixture.ts';

let folder: ReturnType<typeof privateFolder>;
let path: string;
beforeEach(() => {
  folder = privateFolder();
  path = join(folder.path, 'state', 'token');
});
afterEach(() => folder.remove());

function write(tokens: unknown, mode = 0o600): void {
  path = join(folder.path, 'token');
  const text = typeof tokens === 'string' ? tokens : JSON.stringify({ tokens });
  writeFileSync(`${path}.new`, text);
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
}

function written(scopes: readonly string[] = ['decide'], id = 'caller', token = TOKEN) {
  return { id, token, scopes };
}

function invalid(fault: string) {
  const message = `the token file \`${path}\` ${fault}`;
  return expect.objectContaining({ code: 'CONFIGURATION_INVALID', message });
}

test('an absent file is made with one token for everything, for its owner only', () => {
  ensureTokenFile(path);
  const [token, ...others] = readTokens(path);
  expect(token).toEqual({
    id: 'default',
    token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    scopes: SCOPES,
  });
  expect(others).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder.path, 'state')).mode & 0o777).toBe(0o700);
});

test('a file that is there stays as it is', () => {
  ensureTokenFile(path);
  const text = readFileSync(path, 'utf8');
  ensureTokenFile(path);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('a place where no file can be made is named', () => {
  writeFileSync(join(folder.path, 'state'), '');
  expect(() => ensureTokenFile(path)).toThrow(invalid('cannot be made: a file is in the way'));
});

test.each([
  ['not JSON', '{', 'it is not JSON'],
  ['a bare token', TOKEN, 'it is not JSON'],
  ['no tokens', '{"tokens":[]}', 'at `/tokens` it must have at least 1 item'],
  ['a short token', [{ ...written(), token: 'x' }], 'at `/tokens/0/token` it does not match'],
  [
    'an unknown scope',
    [{ ...written(), scopes: ['all'] }],
    'at `/tokens/0/scopes/0` it must be one of `decide`, ',
  ],
  ['no scopes', [written([])], 'at `/tokens/0/scopes` it must have at least 1 item'],
  ['an id with a space', [written(['decide'], 'a b')], 'at `/tokens/0/id` it does not match'],
  [
    'an unknown member',
    [{ ...written(), admin: true }],
    'at `/tokens/0/admin` this member is not known',
  ],
  ['an id twice', [written(), written()], 'it has an id twice'],
])('a file with %s is refused with the place and what to do', (_what, tokens, fault) => {
  write(tokens);
  const message: unknown = expect.stringContaining(
    `the token file \`${path}\` cannot be used: ${fault}`,
  );
  expect(() => readTokens(path)).toThrow(expect.objectContaining({ message }));
  expect(() => readTokens(path)).toThrow('; its shape is {"tokens": [{"id": "default", ');
});

test('an absent file is refused', () => {
  expect(() => readTokens(path)).toThrow(invalid('does not exist'));
});

test.each([0o640, 0o604, 0o620])('a file of mode %o is refused', (mode) => {
  write([written()], mode);
  expect(() => readTokens(path)).toThrow(invalid(`is open to others (run: chmod 600 ${path})`));
});

test('a file in a folder that others can write is refused', () => {
  write([written()]);
  chmodSync(folder.path, 0o777);
  const fault = `\`${folder.path}\` can be written by others (run: chmod go-w ${folder.path})`;
  expect(() => readTokens(path)).toThrow(invalid(`is not safe where it is: ${fault}`));
});

test('a changed file is read again within a second, and a wrong one lets nobody in', () => {
  const log = recordingLog();
  let now_ms = 0;
  const second = written(['decide'], 'second', `${TOKEN}2`);
  write([written()]);
  const source = watchedTokens(path, { now_ms: () => now_ms }, log);
  const ids = () => source.current().map(({ id }) => id);
  const later = () => {
    now_ms += 1_000;
    return ids();
  };

  write([second]);
  expect([ids(), later()]).toEqual([['caller'], ['second']]);
  write('{"tokens": [');
  expect(later()).toEqual([]);
  write([second]);
  expect(later()).toEqual(['second']);
  rmSync(path);
  expect(later()).toEqual([]);
  write([second], 0o644);
  expect(later()).toEqual([]);
  chmodSync(path, 0o600);
  expect(later()).toEqual(['second']);
  expect(log.lines.map(({ level }) => level)).toEqual([
    'info',
    'error',
    'info',
    'error',
    'error',
    'info',
  ]);
  expect(inspect(log.lines, { depth: 9 })).not.toContain(TOKEN);
});
