/** Tokens that were revoked before their time, and a file that does not say which. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { JwtOptions } from '../../../src/identity/jwt/settings.ts';
import {
  clock,
  closeAll,
  codeOf,
  mint,
  newKey,
  overFile,
  privateFolder,
  writeJson,
} from './support.ts';

const key = await newKey('ES256', 'k1');
afterEach(closeAll);

function revoking(value: unknown, options: Partial<JwtOptions> = {}) {
  const revoked_file = writeJson(join(privateFolder(), 'revoked.json'), value);
  return { revoked_file, ...overFile([key.jwk], { revoked_file, ...options }) };
}

test('a token is refused from when it stands in the file', async () => {
  const { revoked_file, ask } = revoking({ revoked: [] });
  const token = await mint(key);
  expect(codeOf(await ask(token))).toBe('taken');
  writeJson(revoked_file, { revoked: ['x', 'token-1'] });
  clock.at_ms += 1000;
  expect(await ask(token)).toMatchObject({ status: 401, code: 'TOKEN_REVOKED' });
  expect(codeOf(await ask(await mint(key, { jti: 'token-2' })))).toBe('taken');
});

test('a token without a number might be any of them', async () => {
  const { ask } = revoking({ revoked: [] }, { claims_required: [] });
  expect(codeOf(await ask(await mint(key, { jti: undefined })))).toBe('CLAIM_ABSENT');
  expect(codeOf(await ask(await mint(key, { jti: 7 })))).toBe('CLAIM_MALFORMED');
});

test.each<[string, (path: string) => void]>([
  ['is gone', (path) => rmSync(path)],
  ['was cut off', (path) => writeFileSync(path, '{"revoked":["token-9"')],
  ['is empty', (path) => writeFileSync(path, '')],
  ['is null', (path) => writeFileSync(path, 'null')],
  ['is a list', (path) => writeFileSync(path, '["token-9"]')],
  ['holds a number', (path) => writeFileSync(path, '{"revoked":[9]}')],
  ['holds something beside', (path) => writeFileSync(path, '{"revoked":[],"more":[]}')],
  ['holds something else', (path) => writeFileSync(path, '{"revokd":[]}')],
  ['can be written by others', (path) => chmodSync(path, 0o666)],
  ['is too large', (path) => writeFileSync(path, `{"revoked":["${'x'.repeat(2000)}"]}`)],
])('nobody is proved while the file %s', async (_what, harm) => {
  const { revoked_file, ask } = revoking({ revoked: [] }, { revoked_bytes_max: 1024 });
  const token = await mint(key);
  expect(codeOf(await ask(token))).toBe('taken');
  harm(revoked_file);
  clock.at_ms += 1000;
  expect(await ask(token)).toMatchObject({
    status: 401,
    error: 'invalid_token',
    code: 'REVOCATIONS_UNAVAILABLE',
  });
  rmSync(revoked_file, { force: true });
  writeJson(revoked_file, { revoked: [] });
  clock.at_ms += 1000;
  expect(codeOf(await ask(token))).toBe('taken');
});
