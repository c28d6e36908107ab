/**
 * Tokens that an authorization server issued, changed at random: none is accepted but those that it
 * signed as they are. `RUNS=10000` tries so many; `SEED` others.
 */
import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromJwt } from '../../../src/identity/jwt/authenticator.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../support/authorization_server.ts';
import { seededRandom, type SeededRandom } from '../../support/seeded_random.ts';

const RUNS = Number(process.env['RUNS'] ?? 500);
const SEED = Number(process.env['SEED'] ?? 1);
const RESOURCE = 'https://mcp.example.com/mcp';
const TOKENS = 8;

let server: AuthorizationServer;
let issued: readonly string[];
beforeAll(async () => {
  server = await startAuthorizationServer();
  const users = Array.from({ length: TOKENS }, (_, i) => `user-${i}`);
  issued = await Promise.all(
    users.map((user) => server.token({ resource: RESOURCE, user, claims: { groups: ['g'] } })),
  );
});
afterAll(() => server.close());

type Json = Record<string, unknown>;

/** What a mutation may use: chance, and what an attacker can know. */
interface Means extends SeededRandom {
  others: readonly string[];
  keys: readonly Json[];
}

const STRANGER = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CHARACTERS = ALPHABET.split('');

const parts = (token: string): string[] => token.split('.');
const decoded = (part: string): string => Buffer.from(part, 'base64url').toString();
const encoded = (text: string): string => Buffer.from(text).toString('base64url');
const object = (part: string): Json => JSON.parse(decoded(part)) as Json;

function replaced(token: string, at: number, part: string): string {
  return parts(token).with(at, part).join('.');
}

function changed(token: string, at: number, change: (members: Json) => Json): string {
  const part = JSON.stringify(change(object(parts(token)[at] ?? '')));
  return replaced(token, at, encoded(part));
}

const VALUES = [null, true, 0, '', 'none', 'ES256', 'HS256', 'RS256', [], {}, ['ES256'], 'at+jwt'];
const HEADERS = ['alg', 'kid', 'typ', 'crit', 'jwk', 'jku', 'x5c', 'b64', 'zip', 'cty'];
const NAMES = ['sub', 'exp', 'aud', 'iss', 'groups', 'client_id', 'iat', 'jti', 'act', 'cnf'];

/** Each way to change a token; each may yield one that is what it was. */
const MUTATIONS: Record<string, (token: string, means: Means) => string> = {
  'a byte flipped': (token, { below }) => {
    const at = below(3);
    const bytes = Buffer.from(parts(token)[at] ?? '', 'base64url');
    const place = below(bytes.length);
    bytes[place] = (bytes[place] ?? 0) ^ (1 << below(8));
    return replaced(token, at, bytes.toString('base64url'));
  },
  'a character replaced': (token, { below, pick }) => {
    const place = below(token.length);
    return token.slice(0, place) + pick([...CHARACTERS, '.', '=', ' ']) + token.slice(place + 1);
  },
  'a character left out': (token, { below }) => {
    const place = below(token.length);
    return token.slice(0, place) + token.slice(place + 1);
  },
  'a character put in': (token, { below, pick }) => {
    const place = below(token.length + 1);
    const added = pick([...CHARACTERS, '.', '=', ' ', '\n', '\t', '%3D', '\u0000', 'é']);
    return token.slice(0, place) + added + token.slice(place);
  },
  'cut off': (token, { below }) => token.slice(0, below(token.length)),
  'a part of another token': (token, { below, pick, others }) => {
    const at = below(3);
    return replaced(token, at, parts(pick(others))[at] ?? '');
  },
  'the parts in another order': (token, { pick }) => {
    const [a = '', b = '', c = ''] = parts(token);
    return pick([
      [a, c, b],
      [b, a, c],
      [b, c, a],
      [c, a, b],
      [c, b, a],
      [a, b],
      [a, b, c, c],
      [a, b, ''],
    ]).join('.');
  },
  'spliced with another token': (token, { below, pick, others }) => {
    const place = below(token.length);
    return token.slice(0, place) + pick(others).slice(place);
  },
  'the header changed': (token, { pick }) =>
    changed(token, 0, (header) => ({ ...header, [pick(HEADERS)]: pick(VALUES) })),
  'the claims changed': (token, { pick }) =>
    changed(token, 1, (claims) => ({ ...claims, [pick(NAMES)]: pick([...VALUES, 'root', 9e9]) })),
  'a member left out': (token, { pick, below }) =>
    changed(token, below(2), (members) => {
      const name = pick(Object.keys(members));
      return Object.fromEntries(Object.entries(members).filter(([each]) => each !== name));
    }),
  'a member twice': (token, { pick, below }) => {
    const at = below(2);
    const text = decoded(parts(token)[at] ?? '');
    const [name, value] = pick(Object.entries(JSON.parse(text) as Json));
    const twice = `"${name}":${JSON.stringify(pick([value, 'root', 'none']))}`;
    const both = pick([`{${twice},${text.slice(1)}`, `${text.slice(0, -1)},${twice}}`]);
    return replaced(token, at, encoded(both));
  },
  'the same JSON written otherwise': (token, { below, pick }) => {
    const at = below(2);
    const text = decoded(parts(token)[at] ?? '');
    const other = pick([
      ` ${text}`,
      `${text}\n`,
      text.replace('{', '{ '),
      text.replace('s', '\\u0073'),
    ]);
    return replaced(token, at, encoded(other));
  },
  'signed by a stranger': (token, { pick }) => {
    const claims = { ...object(parts(token)[1] ?? ''), sub: pick(['root', 'user-1']) };
    const signed = `${parts(token)[0]}.${encoded(JSON.stringify(claims))}`;
    const by = { key: STRANGER.privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${signed}.${signBytes('sha256', Buffer.from(signed), by).toString('base64url')}`;
  },
  'signed by a stranger who brings the key': (token) => {
    const jwk = STRANGER.publicKey.export({ format: 'jwk' });
    const head = encoded(JSON.stringify({ ...object(parts(token)[0] ?? ''), jwk }));
    const signed = `${head}.${parts(token)[1]}`;
    const by = { key: STRANGER.privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${signed}.${signBytes('sha256', Buffer.from(signed), by).toString('base64url')}`;
  },
  'signed with the public key as a shared one': (token, { pick, keys }) => {
    const jwk = pick(keys);
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const secret = pick<string | Buffer>([
      key.export({ type: 'spki', format: 'pem' }),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      String(jwk['x'] ?? jwk['n']),
    ]);
    const alg = pick(['HS256', 'HS384', 'HS512']);
    const head = encoded(JSON.stringify({ alg, typ: 'at+jwt', kid: jwk['kid'] }));
    const signed = `${head}.${parts(token)[1]}`;
    const hash = alg.replace('HS', 'sha');
    return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
  },
  'an empty or constant signature': (token, { pick }) =>
    replaced(token, 2, pick(['', 'A'.repeat(86), encoded('\0'.repeat(64)), 'AA'])),
  padded: (token, { below, pick }) => {
    const at = below(3);
    return replaced(token, at, (parts(token)[at] ?? '') + pick(['=', '==', '%3D', ' ', '\n']));
  },
  'in the other alphabet': (token) => token.replaceAll('-', '+').replaceAll('_', '/'),
  'with unused bits set': (token, { below }) => {
    const at = below(3);
    const part = parts(token)[at] ?? '';
    const last = ALPHABET.indexOf(part.slice(-1));
    return replaced(token, at, part.slice(0, -1) + (ALPHABET[last ^ 1] ?? ''));
  },
  'between white space': (token, { pick }) => pick([`${token} `, `${token}\t`, `${token}\r\n`]),
  twice: (token, { pick, others }) =>
    `${token}${pick([',', ' ', '.', ', Bearer '])}${pick(others)}`,
};

/** Changed once more, where what it became can still be taken apart. */
function again(token: string, means: Means): string {
  try {
    return means.pick(Object.values(MUTATIONS))(token, means);
  } catch {
    return token;
  }
}

test(`of ${RUNS} changed tokens none is accepted that was not signed as it is`, async () => {
  const random = seededRandom(SEED);
  const means: Means = { ...random, others: issued, keys: server.keys() };
  const settings = { issuer: server.issuer, jwks_url: server.jwks_url, jwks_cooldown_ms: 600_000 };
  const own = fromJwt({ ...settings, resource: { url: RESOURCE } });
  const genuine = new Set(issued);
  const accepted: string[] = [];
  const codes = new Map<string, number>();
  let tried = 0;
  for (let run = 0; tried < RUNS; run += 1) {
    const [name, mutate] = random.pick(Object.entries(MUTATIONS));
    const once = mutate(random.pick(issued), means);
    const token = random.chance(0.25) ? again(once, means) : once;
    if (genuine.has(token)) continue;
    tried += 1;
    const found = await own.authenticate({ authorization: `Bearer ${token}` });
    const code = found.ok ? 'accepted' : found.code;
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (found.ok) accepted.push(`seed ${SEED}, run ${run}, ${name}: ${token}`);
  }
  if (process.env['RUNS'])
    process.stdout.write(`${JSON.stringify({ tried, ...Object.fromEntries(codes) })}\n`);
  expect(accepted).toEqual([]);
  for (const token of issued) {
    expect(await own.authenticate({ authorization: `Bearer ${token}` })).toMatchObject({
      ok: true,
    });
  }
}, 600_000);
