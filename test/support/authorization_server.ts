/**
 * A real OAuth authorization server (`oidc-provider`) on loopback, which issues access tokens that
 * are JWTs (RFC 9068): by client credentials, for a user who logged in, and in exchange for another
 * token (RFC 8693). Its keys change while others use it.
 */
import {
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  verify,
  type JsonWebKey,
} from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';

type Claims = Record<string, unknown>;

export interface AuthorizationServerOptions {
  /** Client ids; their secret is `secret-<id>`. */
  clients?: readonly string[];
  /** Scopes that a client may have. */
  scopes?: readonly string[];
  /** Claims of tokens by client credentials beside those of the standard. */
  claimsOf?: (client_id: string, scopes: readonly string[]) => Claims;
}

export interface TokenRequest {
  client_id?: string;
  /** The resource that it is for (RFC 8707). */
  resource: string;
  scopes?: readonly string[];
  /** Who logged in; else the token is the client's own. */
  user?: string;
  /** Beside those of the standard. Only for a user. */
  claims?: Claims;
  lifetime_seconds?: number;
}

export interface ExchangeRequest {
  client_id: string;
  resource: string;
  subject_token: string;
  /** What the client acts by; else it acts in its own name. */
  actor_token?: string;
}

export interface AuthorizationServer {
  issuer: string;
  jwks_url: string;
  /** How often its keys were asked for. */
  readonly keys_asked: number;
  token(request: TokenRequest): Promise<string>;
  /** Who the subject token names, with its client or the actor token's subject as the actor. */
  exchange(request: ExchangeRequest): Promise<string>;
  /** The keys that it tells, without their private part. */
  keys(): readonly JsonWebKey[];
  /** Signs with new keys; the old ones are told no more unless they are kept. */
  rotate(options?: { keep: boolean }): void;
  close(): Promise<void>;
}

export const CLIENT = 'cid-desk';

const USER_GRANT = 'urn:example:grant:logged-in';
const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
const SIGNED_BY = 'ES256';
const LIFETIME_S = 300;

export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  let serving: Provider | undefined;
  let keys_asked = 0;
  const server = createServer((req, res) => {
    if (req.url === '/jwks') keys_asked += 1;
    void serving?.callback()(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let keys = newKeys();
  const serve = () => (serving = providerOf(issuer, keys, options));
  serve();
  return {
    issuer,
    jwks_url: `${issuer}/jwks`,
    get keys_asked() {
      return keys_asked;
    },
    token: (request) => ask(issuer, request.client_id ?? CLIENT, parametersOf(request)),
    exchange: ({ client_id, resource, subject_token, actor_token }) =>
      ask(issuer, client_id, {
        grant_type: EXCHANGE_GRANT,
        resource,
        subject_token,
        subject_token_type: TOKEN_TYPE,
        ...(actor_token !== undefined && { actor_token, actor_token_type: TOKEN_TYPE }),
      }),
    keys: () => keys.map(publicPart),
    rotate({ keep } = { keep: false }) {
      keys = [...newKeys(), ...(keep ? keys : [])];
      serve();
    },
    close: () => stop(server),
  };
}

function parametersOf(request: TokenRequest): Record<string, string> {
  const { resource, scopes = [], user, claims = {}, lifetime_seconds = LIFETIME_S } = request;
  const scope = scopes.join(' ');
  const common = { resource, ...(scope !== '' && { scope }) };
  if (user === undefined) return { grant_type: 'client_credentials', ...common };
  const own = { user, claims: JSON.stringify(claims), lifetime: String(lifetime_seconds) };
  return { grant_type: USER_GRANT, ...common, ...own };
}

async function ask(
  issuer: string,
  client_id: string,
  parameters: Record<string, string>,
): Promise<string> {
  const secret = Buffer.from(`${client_id}:secret-${client_id}`).toString('base64');
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${secret}` },
    body: new URLSearchParams(parameters),
  });
  const body = (await response.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`);
  return body.access_token;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Of each kind one: the server itself wants RSA for what it signs beside access tokens. */
function newKeys(): JsonWebKey[] {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return [
    { ...ec.export({ format: 'jwk' }), alg: SIGNED_BY },
    { ...rsa.export({ format: 'jwk' }), alg: 'RS256' },
  ].map((key) => ({ ...key, use: 'sig', kid: randomBytes(8).toString('hex') }));
}

function publicPart(key: JsonWebKey): JsonWebKey {
  const { kid, use, alg } = key;
  const bare = createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' });
  return { ...bare, kid, use, alg };
}

function providerOf(
  issuer: string,
  keys: readonly JsonWebKey[],
  { clients = [CLIENT], scopes = [], claimsOf = () => ({}) }: AuthorizationServerOptions,
): Provider {
  const info = (audience: string) => ({
    scope: scopes.join(' '),
    audience,
    accessTokenTTL: LIFETIME_S,
    accessTokenFormat: 'jwt' as const,
    jwt: { sign: { alg: SIGNED_BY } as const },
  });
  const provider = new Provider(issuer, {
    adapter: KeepsNothing,
    jwks: { keys: [...keys] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    scopes: [...scopes],
    clients: clients.map((client_id) => ({
      client_id,
      client_secret: `secret-${client_id}`,
      grant_types: ['client_credentials', USER_GRANT, EXCHANGE_GRANT],
      redirect_uris: [],
      response_types: [],
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    })),
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    extraTokenClaims: (ctx, token) =>
      EXTRA.get(ctx) ?? claimsOf(token.clientId ?? '', token.scope?.split(' ') ?? []),
    ttl: { ClientCredentials: LIFETIME_S, AccessToken: LIFETIME_S },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => info(resource),
      },
    },
  });
  const issue = (ctx: KoaContextWithOIDC, grant: Grant) => issueToken(provider, ctx, grant, info);
  const own = ['resource', 'scope', 'user', 'claims', 'lifetime'];
  provider.registerGrantType(USER_GRANT, (ctx) => issue(ctx, loggedIn(ctx)), own);
  const tokens = ['subject_token', 'actor_token'].flatMap((name) => [name, `${name}_type`]);
  const exchange = ['resource', 'scope', ...tokens];
  provider.registerGrantType(EXCHANGE_GRANT, (ctx) => issue(ctx, exchanged(ctx, keys)), exchange);
  return provider;
}

/** All that it issues stands in the tokens themselves. */
class KeepsNothing {
  upsert = nothing;
  find = nothing;
  findByUid = nothing;
  findByUserCode = nothing;
  destroy = nothing;
  consume = nothing;
  revokeByGrantId = nothing;
}

async function nothing(): Promise<undefined> {}

interface Grant {
  user: string;
  claims: Claims;
  lifetime_seconds: number;
}

function parameter({ oidc }: KoaContextWithOIDC, name: string): string | undefined {
  const value = oidc.params?.[name];
  return typeof value === 'string' ? value : undefined;
}

function loggedIn(ctx: KoaContextWithOIDC): Grant {
  return {
    user: parameter(ctx, 'user') ?? '',
    claims: JSON.parse(parameter(ctx, 'claims') ?? '{}') as Claims,
    lifetime_seconds: Number(parameter(ctx, 'lifetime')),
  };
}

/** RFC 8693, section 4.1: the one that acts now, and within it those that acted before. */
function exchanged(ctx: KoaContextWithOIDC, keys: readonly JsonWebKey[]): Grant {
  const subject = claimsIn(parameter(ctx, 'subject_token') ?? '', keys);
  const actor_token = parameter(ctx, 'actor_token');
  const actor = actor_token === undefined ? ctx.oidc.client?.clientId : undefined;
  const sub = actor ?? claimsIn(actor_token ?? '', keys)['sub'];
  const { iss: _iss, aud: _aud, iat: _iat, exp: _exp, jti: _jti, scope: _scope, ...kept } = subject;
  const { sub: user, client_id: _client, act: before, ...claims } = kept;
  const act = { sub, ...(before !== undefined && { act: before }) };
  return { user: String(user), claims: { ...claims, act }, lifetime_seconds: LIFETIME_S };
}

/** Only what this server signed is exchanged. */
function claimsIn(token: string, keys: readonly JsonWebKey[]): Claims {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  const key = keys.find((each) => each['kid'] === kid);
  const signed = Buffer.from(`${header}.${payload}`);
  const by = key && {
    key: createPublicKey({ key, format: 'jwk' }),
    dsaEncoding: 'ieee-p1363' as const,
  };
  if (!by || !verify('sha256', signed, by, Buffer.from(signature, 'base64url'))) {
    throw new Error('a token that is exchanged is none of this server');
  }
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
}

/** Claims of the token that a request is about. */
const EXTRA = new WeakMap<object, Claims>();

async function issueToken(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  { user, claims, lifetime_seconds }: Grant,
  info: (audience: string) => ResourceServer,
): Promise<void> {
  const resource = parameter(ctx, 'resource') ?? '';
  EXTRA.set(ctx, claims);
  const token = new provider.AccessToken({
    accountId: user,
    client: ctx.oidc.client,
    scope: parameter(ctx, 'scope'),
    expiresIn: lifetime_seconds,
    resourceServer: new provider.ResourceServer(resource, info(resource)),
  } as never);
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: TOKEN_TYPE,
    token_type: 'Bearer',
    expires_in: token.expiration,
  };
}
