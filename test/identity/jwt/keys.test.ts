/** Where the keys of an issuer come from, and what happens while they do not come. */
import { renameSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { JwtOptions } from '../../../src/identity/jwt/settings.ts';
import {
  NOW_S,
  authenticator,
  clock,
  closeAll,
  codeOf,
  mint,
  newKey,
  overFile,
  privateFolder,
  serveKeys,
  writeJson,
} from './support.ts';

const key = await newKey('ES256', 'k1');
const next = await newKey('ES256', 'k2');
const [old_token, next_token] = await Promise.all([mint(key), mint(next)]);
afterEach(closeAll);

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

const SECONDS = { jwks_fresh_seconds_max: 60, jwks_age_seconds_max: 120, jwks_cooldown_ms: 10_000 };

function told(keys: readonly object[], headers: Record<string, string> = {}): Answer {
  return (_req, res) => res.writeHead(200, headers).end(JSON.stringify({ keys }));
}

const BROKEN: Answer = (_req, res) => res.writeHead(500).end('canary');

/** An authenticator over keys at a URL, whose answer can be changed. */
async function overUrl(answer: Answer, options: Partial<JwtOptions> = {}) {
  const now = { answer };
  const { url, seen } = await serveKeys((req, res) => now.answer(req, res));
  return { now, seen, ...authenticator({ jwks_url: url, ...SECONDS, ...options }) };
}

function pass(seconds: number): void {
  clock.at_ms += seconds * 1000;
}

/** The claims of the tokens hold for longer than the tests let pass. */
const long = (by: typeof key): Promise<string> => mint(by, { exp: NOW_S + 100_000 });

describe('keys at a URL', () => {
  test('are fetched when the first token comes, and not for each', async () => {
    const { seen, ask } = await overUrl(told([key.jwk]));
    expect(seen.asked).toBe(0);
    for (let i = 0; i < 3; i += 1) expect(codeOf(await ask(old_token))).toBe('taken');
    expect(seen.asked).toBe(1);
  });

  test('are fetched once for all who wait', async () => {
    const { seen, ask } = await overUrl(told([key.jwk]));
    const found = await Promise.all(Array.from({ length: 50 }, () => ask(old_token)));
    expect(found.map(codeOf)).toEqual(Array.from({ length: 50 }, () => 'taken'));
    expect(seen.asked).toBe(1);
  });

  test('are fetched again where the issuer signs with a new one', async () => {
    const { now, seen, ask } = await overUrl(told([key.jwk]));
    await ask(old_token);
    now.answer = told([next.jwk, key.jwk]);
    pass(10);
    expect([codeOf(await ask(next_token)), codeOf(await ask(old_token))]).toEqual([
      'taken',
      'taken',
    ]);
    expect(seen.asked).toBe(2);
  });

  test('that the issuer took back sign nothing when they are fetched again', async () => {
    const { now, ask } = await overUrl(told([key.jwk]));
    const token = await long(key);
    expect(codeOf(await ask(token))).toBe('taken');
    now.answer = told([next.jwk]);
    pass(59);
    expect(codeOf(await ask(token))).toBe('taken');
    pass(1);
    expect(codeOf(await ask(token))).toBe('KEY_UNKNOWN');
  });

  test('are not fetched for each of a storm of unknown names', async () => {
    const { seen, ask } = await overUrl(told([key.jwk]));
    const storm = await Promise.all(
      Array.from({ length: 100 }, (_, i) => mint(key, {}, { kid: `storm-${i}` })),
    );
    const found = await Promise.all(storm.map((token) => ask(token)));
    expect(new Set(found.map(codeOf))).toEqual(new Set(['KEY_UNKNOWN']));
    expect(seen.asked).toBe(1);
    pass(9);
    await ask(storm[0] as string);
    expect(seen.asked).toBe(1);
    pass(1);
    await Promise.all(storm.map((token) => ask(token)));
    expect(seen.asked).toBe(2);
    expect(codeOf(await ask(old_token))).toBe('taken');
  });

  test('are kept while they cannot be fetched, for so long and no longer', async () => {
    const { now, ask } = await overUrl(told([key.jwk]));
    const token = await long(key);
    await ask(token);
    now.answer = BROKEN;
    pass(119);
    expect(codeOf(await ask(token))).toBe('taken');
    pass(1);
    expect(await ask(token)).toMatchObject({
      code: 'KEYS_UNAVAILABLE',
      detail: 'the key server answered with status 500',
    });
    now.answer = told([key.jwk]);
    pass(10);
    expect(codeOf(await ask(token))).toBe('taken');
  });

  test('are old where the clock was set back', async () => {
    const { now, seen, ask } = await overUrl(told([key.jwk]));
    await ask(old_token);
    now.answer = BROKEN;
    pass(-5);
    expect(codeOf(await ask(old_token))).toBe('KEYS_UNAVAILABLE');
    expect(seen.asked).toBe(2);
  });

  test.each([
    ['max-age=20', 20],
    ['public, MAX-AGE="20"', 20],
    ['max-age=100000', 60],
    ['no-store', 10],
    ['no-cache, max-age=50', 10],
    ['max-age=x', 60],
  ])('with `Cache-Control: %s` are fresh for %d seconds', async (header, seconds) => {
    const { seen, ask } = await overUrl(told([key.jwk], { 'cache-control': header }));
    await ask(old_token);
    pass(seconds - 1);
    await ask(old_token);
    expect(seen.asked).toBe(1);
    pass(1);
    await ask(old_token);
    expect(seen.asked).toBe(2);
  });

  test.each<[string, Answer, string]>([
    ['an error', BROKEN, 'the key server answered with status 500'],
    [
      'a redirect',
      (_req, res) => res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'the key server answered with status 302',
    ],
    ['half an answer', (_req, res) => res.end('{"keys":['), 'the key set: it is not JSON'],
    ['a page', (_req, res) => res.end('<html>'), 'the key set: it is not JSON'],
    ['a list', (_req, res) => res.end('[]'), 'the key set: it is no set of keys'],
    [
      'a set of texts',
      (_req, res) => res.end('{"keys":["k"]}'),
      'the key set: it is no set of keys',
    ],
    [
      'more than the limit',
      (_req, res) => res.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`),
      'the key set: it is larger than the limit',
    ],
    [
      'an answer without end',
      (_req, res) => {
        const timer = setInterval(() => res.write('x'.repeat(65_536)), 1);
        res.once('close', () => clearInterval(timer));
      },
      'the key set: it is larger than the limit',
    ],
    ['no answer', () => undefined, 'the key server did not answer in time'],
    [
      'a connection that ends',
      (req) => req.socket.destroy(),
      'the key server cannot be reached: error UND_ERR_SOCKET',
    ],
    [
      'a key that everybody can sign with',
      told([{ ...key.jwk, d: 'c2VjcmV0' }]),
      'the key set: it holds a private or a shared key',
    ],
    [
      'a shared key',
      told([{ kty: 'oct', kid: 'k1', k: 'c2VjcmV0' }]),
      'the key set: it holds a private or a shared key',
    ],
    [
      'more keys than any issuer has',
      told(Array.from({ length: 65 }, () => key.jwk)),
      'the key set: it has more than 64 keys',
    ],
  ])('that come as %s prove nobody', async (_what, answer, detail) => {
    const timeout = detail.endsWith('in time') ? { jwks_timeout_ms: 50 } : {};
    const { ask } = await overUrl(answer, timeout);
    const found = await ask(old_token);
    expect(found).toMatchObject({ status: 401, error: 'invalid_token', code: 'KEYS_UNAVAILABLE' });
    expect(found).toMatchObject({ detail });
  });

  test('are never fetched from where a redirect leads', async () => {
    const elsewhere = await serveKeys(told([key.jwk]));
    const redirect: Answer = (_req, res) => res.writeHead(307, { location: elsewhere.url }).end();
    const { ask } = await overUrl(redirect);
    expect(codeOf(await ask(old_token))).toBe('KEYS_UNAVAILABLE');
    expect(elsewhere.seen.asked).toBe(0);
  });

  test.each([
    ['two of one name', [key.jwk, { ...next.jwk, kid: 'k1' }]],
    ['one that may not verify', [{ ...key.jwk, key_ops: ['sign'] }]],
    ['one for encryption', [{ ...key.jwk, use: 'enc' }]],
    ['one of another algorithm', [{ ...key.jwk, alg: 'ES384' }]],
    ['none', []],
  ])('of which there are %s sign nothing', async (_what, keys) => {
    const { ask } = await overUrl(told(keys));
    expect(codeOf(await ask(old_token))).toBe('KEY_UNKNOWN');
  });

  test('that are no keys sign nothing', async () => {
    const { ask } = await overUrl(told([{ ...key.jwk, x: 'AA' }]));
    expect((await ask(old_token)).ok).toBe(false);
  });

  test.each([
    'http://login.example.com/jwks',
    'http://127.0.0.1.example.com/jwks',
    'http://127.0.0.1@example.com/jwks',
    'https://user:secret@login.example.com/jwks',
    'file:///etc/passwd',
    'https://login.example.com/jwks#x',
    '/jwks',
  ])('are not asked for at %s', (jwks_url) => {
    expect(() => authenticator({ jwks_url })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer: '/jwks_url' }),
    );
  });

  test('or in a file, but not in both, and not in neither', () => {
    const both = { jwks_url: 'https://a.example.com/jwks', jwks_file: '/keys.json' };
    for (const options of [both, {}]) {
      expect(() => authenticator(options)).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer: '/jwks_url' }),
      );
    }
  });
});

describe('keys in a file', () => {
  test('are read again where it was replaced', async () => {
    const { jwks_file, ask } = overFile([key.jwk]);
    expect([codeOf(await ask(old_token)), codeOf(await ask(next_token))]).toEqual([
      'taken',
      'KEY_UNKNOWN',
    ]);
    writeJson(`${jwks_file}.new`, { keys: [next.jwk] });
    renameSync(`${jwks_file}.new`, jwks_file);
    pass(1);
    expect([codeOf(await ask(old_token)), codeOf(await ask(next_token))]).toEqual([
      'KEY_UNKNOWN',
      'taken',
    ]);
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['is gone', (path) => rmSync(path), /there is no such file/],
    ['was cut off', (path) => writeFileSync(path, '{"keys":['), /it is not JSON/],
    ['can be written by others', (path) => chmodSync(path, 0o666), /can be written by others/],
    ['lies in a folder of others', (path) => chmodSync(join(path, '..'), 0o777), /by others/],
    ['is too large', (path) => writeFileSync(path, ' '.repeat(262_145)), /larger than the limit/],
  ])('prove nobody while it %s, and somebody when it is mended', async (_what, harm, why) => {
    const { jwks_file, ask } = overFile([key.jwk]);
    await ask(old_token);
    harm(jwks_file);
    // A changed folder is seen where the file is looked at anew.
    if (why.source === 'by others') writeJson(jwks_file, { keys: [key.jwk] });
    pass(1);
    expect(await ask(old_token)).toMatchObject({
      status: 401,
      code: 'KEYS_UNAVAILABLE',
      detail: expect.stringMatching(why),
    });
    chmodSync(join(jwks_file, '..'), 0o700);
    rmSync(jwks_file, { force: true });
    writeJson(jwks_file, { keys: [key.jwk] });
    pass(1);
    expect(codeOf(await ask(old_token))).toBe('taken');
  });

  test('that is a folder or a pipe is not waited for', async () => {
    const { ask } = authenticator({ jwks_file: privateFolder() });
    expect(await ask(old_token)).toMatchObject({ detail: 'the file is no file' });
  });
});
