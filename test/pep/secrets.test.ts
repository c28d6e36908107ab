/** Marked secrets are pushed through every way there is, and looked for in all that comes out. */
import { afterEach, expect, test } from '@jest/globals';
import { ROUTES } from '../../src/pdp/routes.ts';
import { fromAuthInfo } from '../../src/identity/auth_info/source.ts';
import { send, TOKEN } from '../pdp/fixture.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { openWay, spellings, type Way, type WayParts } from './support/canaries.ts';
import { post } from './support/http.ts';
import { LINES, said, type Line } from './support/servers.ts';

let opened = new AsyncDisposableStack();
afterEach(async () => {
  delete process.env.CANARY;
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

const POLICY = `package canary
id := input.resource.id
call if input.context.phase == "call"
result := {"decision": "allow"} if { not call; id != "hidden" }
result := {"decision": "allow"} if { call; id == "balance"; input.context.arguments.read }
result := {"decision": "deny"} if { call; id == "transfer" }
result := {"decision": "require_approval"} if { call; id == "approval" }
result := {"decision": "allow", "constraints": {"actor_required": "human"}} if {
  call
  id == "actor"
}
result := {
  "decision": "allow",
  "obligations": [
    {"type": "mask_fields", "paths": ["/ssn"], "mode": "digest", "unstructured": "drop"},
  ],
} if { call; id == "masked" }
result := "one" if { call; id == "conflict" }
result := "two" if { call; id == "conflict" }
`;

const SECRETS = {
  bearer: 'canary/bearer+0a1',
  claim: 'canary/claim+1b2',
  cookie: 'canary/cookie+2c3',
  api_key: 'canary/api-key+3d4',
  query: 'canary/query+4e5',
  meta: 'canary/meta+5f6',
  unread: 'canary/unread+6a7',
  capability: 'canary/capability+7b8',
  variable: 'canary/variable+8c9',
  digest_key: 'canary/digest-key+9d0/0123456789',
  wrong_token: 'canary/wrong-token+0e1',
  malformed: 'canary/malformed+1f2',
  masked: 'canary/masked+2a3',
  thrown: 'canary/thrown+3b4',
  shared: TOKEN,
};
/** The policy reads it: the decision point is told, and nobody else. */
const READ = 'canary/read+4c5';

const NAMES = ['balance', 'transfer', 'hidden', 'approval', 'actor', 'masked', 'conflict', 'none'];

const proving = fromAuthInfo({ groups: 'groups' });
const parts = (line: Line): WayParts => ({
  rego: POLICY,
  pointers: { 'tool:payments/*': ['/read'] },
  line,
  identity: (extra, report) => {
    const { headers } = extra.requestInfo as { headers: Headers | object };
    const { token } = extra.authInfo as { token: string };
    if (headers instanceof Headers ? headers.has('x-throws') : 'x-throws' in headers) {
      throw new Error(`the token ${token} is odd: ${SECRETS.thrown}`);
    }
    return proving(extra, report);
  },
  authInfo: ({ headers }) => ({
    token: SECRETS.bearer,
    clientId: 'cid-1',
    scopes: [],
    extra: {
      sub: headers['x-nobody'] === undefined ? 'alice' : 7,
      groups: ['tellers'],
      id_token: SECRETS.claim,
    },
  }),
  digest_key: SECRETS.digest_key,
  tools: {
    hidden: () => said('hidden'),
    approval: () => said('approval'),
    actor: () => said('actor'),
    conflict: () => said('conflict'),
    masked: () => ({ content: [], structuredContent: { ssn: SECRETS.masked, city: 'Bern' } }),
  },
});

const HEADERS = {
  authorization: `Bearer ${SECRETS.bearer}`,
  cookie: `session=${SECRETS.cookie}`,
  'x-api-key': SECRETS.api_key,
};

/** What the client is told by all that it sends. */
async function ask({ url }: Way, more: Record<string, string> = {}): Promise<string[]> {
  const address = `${url}?access_token=${encodeURIComponent(SECRETS.query)}`;
  const say = async (body: unknown) => (await post(address, body, { ...HEADERS, ...more })).text();
  const request = (method: string, params: object) => ({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { ...params, _meta: { secret: SECRETS.meta, traceparent: SECRETS.meta } },
  });
  const told: string[] = [];
  for (const name of NAMES) {
    const values = { read: READ, password: SECRETS.unread, deep: { token: SECRETS.unread } };
    told.push(await say(request('tools/call', { name, arguments: values })));
  }
  told.push(await say(request('tools/list', { cursor: undefined })));
  told.push(await say(request('tasks/get', { taskId: SECRETS.unread })));
  told.push(
    await say(
      request('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: { experimental: { x: { secret: SECRETS.capability } } },
        clientInfo: { name: 'c', version: '1' },
      }),
    ),
  );
  told.push(await say(`{"jsonrpc":"2.0","id":1,"method":"${SECRETS.malformed}`));
  told.push(await say({ jsonrpc: '2.0', id: 1, method: 'ping', result: SECRETS.malformed }));
  return told;
}

/** What the decision service tells those whom it does not know or cannot understand. */
async function askService({ service_url }: Way): Promise<string[]> {
  const path = '/access/v1/evaluation';
  const known = { authorization: `Bearer ${TOKEN}`, cookie: SECRETS.cookie };
  const unknown = { authorization: `Bearer ${SECRETS.wrong_token}`, cookie: SECRETS.cookie };
  const bodies = [`{"x":"${SECRETS.malformed}`, JSON.stringify({ subject: SECRETS.malformed })];
  const told = await Promise.all(
    bodies.flatMap((body) =>
      [known, unknown].map((headers) => send(service_url, path, { body, headers })),
    ),
  );
  return told.map((answer) => JSON.stringify(answer));
}

function leaks(written: Record<string, string>, secrets: Record<string, string>): string[] {
  return Object.entries(written).flatMap(([place, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) => spellings(secret).some((spelling) => text.includes(spelling)))
      .map(([name]) => `${name} in ${place}`),
  );
}

describeWithOpa('a secret', () => {
  test.each(LINES)('[E-22] is nowhere in what is sent and written, SDK %i.x', async (line) => {
    process.env.CANARY = SECRETS.variable;
    const way = await openWay(parts(line), opened);
    const answers = await ask(way);
    answers.push(...(await ask(way, { 'x-nobody': '1' })));
    answers.push(...(await ask(way, { 'x-throws': '1' })));
    answers.push(...(await askService(way)));
    await way.sent('"masked":["/ssn"]');
    await way.stopService();
    answers.push(...(await ask(way)));
    const written = { ...way.everything(), answers: answers.join('\n') };
    // It was on all these ways, and they say so.
    expect(written.to_service).toContain('POST /access/v1/evaluation ');
    expect(written.to_service).toContain('POST /access/v1/evaluations ');
    expect(written.to_service).toContain('POST /v1/outcomes ');
    expect(written.to_service).toContain(READ);
    expect(written.from_service).toContain('"reason_code":"APPROVAL_REQUIRED"');
    expect(written.evidence).toContain('"id":"user:alice"');
    expect(written.evidence).toContain('"masked":["/ssn"]');
    for (const line_logged of [
      'denied a method that is not enforced',
      'the caller cannot be resolved',
      'the caller is not proved',
      'the decision point cannot be asked for its status',
    ]) {
      expect(written.logs).toContain(line_logged);
    }
    expect(written.answers).toContain('Bern');
    const { to_service: _told, ...others } = written;
    expect(leaks(written, SECRETS)).toEqual([]);
    expect(leaks(others, { READ })).toEqual([]);
  });

  test('[E-22] opens the routes of the service, and nothing else does', async () => {
    const way = await openWay(parts(1), opened);
    const open: string[] = [];
    for (const { method, path } of ROUTES) {
      const body = method === 'POST' ? { body: '{}' } : {};
      const headers = { authorization: `Bearer ${SECRETS.wrong_token}` };
      const { status } = await send(way.service_url, path, { method, headers, ...body });
      if (status !== 401) open.push(path);
    }
    expect(open).toEqual([
      '/health',
      '/health/live',
      '/health/ready',
      '/.well-known/authzen-configuration',
      '/openapi.json',
    ]);
  });

  test('[E-22] is not needed twice: asking for a decision takes no other decision', async () => {
    const way = await openWay(parts(1), opened);
    const call = { name: 'balance', arguments: { read: READ } };
    await post(way.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call }, HEADERS);
    await way.sent('POST /v1/outcomes ');
    const { to_service, evidence } = way.everything();
    const asked = to_service.matchAll(/(?:GET|POST) (\/\S+) HTTP/g);
    expect(new Set([...asked].map(([, path]) => path))).toEqual(
      new Set(['/v1/status', '/access/v1/evaluation', '/v1/outcomes']),
    );
    expect(evidence.match(/"kind":"decision"/g)).toHaveLength(1);
  });
});
