/** Tokens of every kind, signed by keys of a test, and the keys where a verifier looks for them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import type { Authentication } from '../../../src/identity/authenticator.ts';
import type { AuthInfoMapping } from '../../../src/identity/auth_info/mapping.ts';
import { fromJwt } from '../../../src/identity/jwt/authenticator.ts';
import type { JwtOptions } from '../../../src/identity/jwt/settings.ts';
import { REDACTED } from '../../../src/identity/authenticator.ts';

export const NOW_S = 1_763_000_000;
export const ISSUER = 'https://login.example.com';
export const RESOURCE = 'https://mcp.example.com/mcp';

/** A clock that stands until it is set. */
export const clock = {
  at_ms: NOW_S * 1000,
  now_ms: () => clock.at_ms,
};

export interface SigningKey {
  alg: string;
  kid: string;
  secret: CryptoKey;
  jwk: JWK;
}

export async function newKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, secret: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

export const CLAIMS = {
  iss: ISSUER,
  aud: RESOURCE,
  sub: 'alice@example.com',
  client_id: 'cid-1',
  iat: NOW_S - 10,
  exp: NOW_S + 300,
  jti: 'token-1',
};

/** Signs claims, with others beside or instead; undefined takes one away. */
export function mint(key: SigningKey, claims: object = {}, header: object = {}): Promise<string> {
  const text = JSON.stringify({ ...CLAIMS, ...claims });
  return sign(key, text, header);
}

/** Signs a text as it is. */
export function sign({ secret, alg, kid }: SigningKey, text: string, header: object = {}) {
  const all = { alg, kid, typ: 'at+jwt', ...header };
  return new CompactSign(Buffer.from(text))
    .setProtectedHeader(all)
    .sign(secret, { crit: CRITICAL });
}

const CRITICAL = { b64: true, 'urn:example:must': true };

const closing: (() => unknown)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
  clock.at_ms = NOW_S * 1000;
}

/** A folder that nobody else can write. */
export function privateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-jwt-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

export function writeJson(path: string, value: unknown): string {
  writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
  return path;
}

/** Serves keys on loopback; `asked` counts. */
export async function serveKeys(answer: (req: IncomingMessage, res: ServerResponse) => void) {
  const seen = { asked: 0 };
  const server = createServer((req, res) => {
    seen.asked += 1;
    answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { seen, url: `http://127.0.0.1:${port}/jwks` };
}

/** An authenticator over keys in a file. */
export function overFile(
  keys: readonly object[],
  options: Partial<JwtOptions> = {},
  mapping: AuthInfoMapping = {},
) {
  const jwks_file = writeJson(join(privateFolder(), 'jwks.json'), { keys });
  return { jwks_file, ...authenticator({ jwks_file, ...options }, mapping) };
}

/** An authenticator that is asked with a token, by the clock of the tests. */
export function authenticator(options: Partial<JwtOptions>, mapping: AuthInfoMapping = {}) {
  const complete = { issuer: ISSUER, resource: { url: RESOURCE }, ...options };
  const own = fromJwt(complete, mapping, clock);
  const ask = (token: string, rest: object = {}): Promise<Authentication> =>
    own.authenticate({ authorization: `Bearer ${token}`, ...rest });
  return { own, ask };
}

/** `taken`, or the code of the refusal. */
export function codeOf(found: Authentication): string {
  return found.ok ? 'taken' : found.code;
}

/** What the verifier hands on of the claims. */
export function verifiedOf(extra: object, members: object = {}) {
  const { client_id: clientId, exp: expiresAt } = CLAIMS;
  return { token: REDACTED, clientId, scopes: [], expiresAt, extra, ...members };
}
