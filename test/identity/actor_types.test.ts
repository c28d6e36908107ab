/**
 * What kind of actor asks, by each source that can prove it, before the real library: a tool that
 * only a human may use is used where a source proved one, and nowhere else.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import type { ActorType } from '../../src/contract/types.gen.ts';
import { fromAuthInfo } from '../../src/identity/auth_info/source.ts';
import { allOf } from '../../src/identity/combined/source.ts';
import { fromLauncher } from '../../src/identity/launcher/source.ts';
import { fromMtls } from '../../src/identity/mtls/source.ts';
import { fromOsUser } from '../../src/identity/os_user/source.ts';
import { fromServerSession } from '../../src/identity/server_session/source.ts';
import { fromSocketPath } from '../../src/identity/socket_path/source.ts';
import type { IdentitySource, RequestExtra } from '../../src/identity/types.ts';
import { DATA, OWNED, sceneWith, withData } from '../bypass/support/policy.ts';
import { before, embedded } from '../pep/support/real.ts';
import { LINES } from '../pep/support/servers.ts';
import { clock, mint, newKey, overFile } from './jwt/support.ts';
import { authInfoOf } from './shared_suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-actors-'));
let point: DecisionPoint;
beforeAll(async () => {
  const data = withData({
    registry: { 'tool:payments/vote': { ...OWNED, actor_required: 'human' } },
    grants: [{ to: { anyone: true }, on: 'tool:payments/vote' }],
  });
  const agents = { desk: { clients: ['cid-1'], may: ['*'] } };
  point = embedded((await sceneWith({ ...data, agents: { ...DATA.agents, ...agents } })).core);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A source that proves the actor type, or all but that; with what comes of a request there. */
interface Way {
  source(actor: ActorType | undefined): IdentitySource;
  extra(actor: ActorType | undefined): RequestExtra | Promise<RequestExtra>;
}

const SUBJECT = { id: 'user:alice@example.com' };
const URI = 'spiffe://example/alice';
const SOCKET = join(folder, 'mcp.sock');

const CERTIFICATE = {
  thumbprint: 't',
  subject: '',
  uris: [URI],
  dns_names: [],
  emails: [],
  valid_from_ms: 0,
  valid_to_ms: Date.UTC(2090, 0),
};

const WAYS: Record<string, Way> = {
  'claims that the host verified': {
    source: () => fromAuthInfo({ actor_type: 'kind' }),
    extra: (kind) => ({ authInfo: authInfoOf({ sub: 'alice', ...(kind && { kind }) }) }),
  },
  'claims of a verified token': {
    source: () => fromAuthInfo({ actor_type: 'kind' }, clock, 'jwt'),
    extra: async (kind) => {
      const key = await newKey('ES256', 'k1');
      const { ask } = overFile([key.jwk]);
      const found = await ask(await mint(key, { ...(kind && { kind }) }));
      return found.ok ? { authInfo: found.authInfo } : {};
    },
  },
  'the client that a verified token names': {
    source: (kind) => fromAuthInfo({ client_actor_types: kind ? [`cid-1=${kind}`] : [] }),
    extra: () => ({ authInfo: authInfoOf({ sub: 'alice' }) }),
  },
  'a client certificate': {
    source: (actor_type) =>
      fromMtls({ subjects: { [URI]: { ...(actor_type && { actor_type }) } } }),
    extra: () => ({ connection: { peer_certificate: CERTIFICATE } }),
  },
  'the launcher': {
    source: (actor_type) =>
      fromLauncher({ subject: { ...SUBJECT, ...(actor_type && { actor_type }) } }),
    extra: () => ({}),
  },
  'the socket in a folder of its own': {
    source: (actor_type) =>
      fromSocketPath({ path: SOCKET, subject: { ...SUBJECT, ...(actor_type && { actor_type }) } }),
    extra: () => ({ connection: { socket_path: SOCKET } }),
  },
  "the host's own session": {
    source: (actor_type) =>
      fromServerSession(() => ({
        subject: { ...SUBJECT, ...(actor_type && { actor_type }) },
        state: 'active',
      })),
    extra: () => ({ authInfo: authInfoOf({ sub: 'alice' }) }),
  },
  'two sources together': {
    source: (kind) =>
      allOf(
        fromAuthInfo(),
        fromServerSession(() => ({
          subject: { id: 'user:alice', ...(kind && { actor_type: kind }) },
          state: 'active',
        })),
      ),
    extra: () => ({ authInfo: authInfoOf({ sub: 'alice' }) }),
  },
};

/** What a client can say of itself, in every place that it can say something in. */
const CLAIMED = { actor_type: 'human', kind: 'human', subject: { actor_type: 'human' } };

async function did(
  { source, extra }: Way,
  actor: ActorType | undefined,
  line: 1 | 2,
): Promise<string[]> {
  const proved = await extra(actor);
  const prove = source(actor);
  const environment = { deployment: 'production' };
  const who: IdentitySource = (_own, report) => {
    const trusted = prove(proved, report);
    return trusted && { ...trusted, environment };
  };
  const { wire, journal } = await before(point, line, ['vote'], who);
  const params = { name: 'vote', arguments: CLAIMED, _meta: { ...CLAIMED, claimed: CLAIMED } };
  await wire.ask(1, 'tools/call', params);
  return journal.calls.map(({ name }) => name);
}

test.each(
  LINES.flatMap((line) => Object.entries(WAYS).map(([name, way]) => [name, line, way] as const)),
)('[E-08] %s proves a human, SDK %i.x', async (_name, line, way) => {
  expect(await did(way, 'human', line)).toEqual(['vote']);
  expect(await did(way, 'automation', line)).toEqual([]);
  expect(await did(way, undefined, line)).toEqual([]);
});

test.each(LINES)(
  '[E-08] the user of the operating system is of no kind, SDK %i.x',
  async (line) => {
    const way = { source: () => fromOsUser(), extra: () => ({}) };
    expect(await did(way, undefined, line)).toEqual([]);
  },
);
