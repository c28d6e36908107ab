import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ROUTES } from '../../src/pdp/routes.ts';
import { ALLOWED, READY, recordingCore, send, sendRaw, start, type Started } from './fixture.ts';

const core = recordingCore();
let service: Started;
beforeAll(async () => {
  service = await start(core);
});
afterAll(() => service.close());

test('the routes and the scopes they take', () => {
  expect(ROUTES.map(({ method, path, scope }) => `${method} ${path} ${scope}`)).toEqual([
    'POST /access/v1/evaluation decide',
    'POST /access/v1/evaluations decide',
    'POST /v1/decision decide',
    'POST /v1/outcomes decide',
    'POST /v1/evidence/redactions administer',
    'GET /v1/status decide',
    'GET /v1/evidence/checkpoint evidence',
    'GET /v1/evidence/tile/{path} evidence',
    'GET /v1/evidence/records evidence',
    'GET /v1/evidence/records/{index} evidence',
    'GET /v1/evidence/receipts/{record} evidence',
    'GET /health null',
    'GET /health/live null',
    'GET /health/ready null',
    'GET /.well-known/authzen-configuration null',
    'GET /openapi.json null',
  ]);
});

test.each([
  ['/access/v1/evaluation', ALLOWED, 'evaluation-1'],
  ['/access/v1/evaluations', { evaluations: [{ decision: true }] }, 'evaluation-1'],
  ['/v1/decision', { decision: 'allow' }, 'evaluation-1'],
  ['/v1/outcomes', { recorded: 1, repeated: 0 }, undefined],
])('POST %s hands the body to the core and answers', async (path, body, evaluation_id) => {
  core.asked.length = 0;
  const sent = await send(service.url, path, { body: '{"evaluations":[{}]}' });
  expect(sent.status).toBe(200);
  expect(sent.body).toEqual(body);
  expect(sent.headers['portcullis-evaluation-id']).toBe(evaluation_id);
  expect(sent.headers['content-type']).toBe('application/json');
  expect(sent.headers['cache-control']).toBe('no-store');
  expect(core.asked).toEqual([
    {
      body: { evaluations: [{}] },
      caller: { id: 'caller', channel: 'tcp', scopes: new Set(['decide']) },
    },
  ]);
});

test.each([
  ['/v1/status', READY],
  ['/health', { live: true, ready: true }],
  ['/health/live', { live: true }],
  ['/health/ready', { ready: true }],
])('GET %s', async (path, body) => {
  const sent = await send(service.url, path, { method: 'GET' });
  expect([sent.status, sent.body]).toEqual([200, body]);
});

test('the metadata name the address that was asked', async () => {
  const path = '/.well-known/authzen-configuration';
  const sent = await send(service.url, path, {
    method: 'GET',
    headers: { host: `localhost:${service.port}` },
  });
  const base = `http://localhost:${service.port}`;
  expect([sent.status, sent.body]).toEqual([
    200,
    {
      policy_decision_point: base,
      access_evaluation_endpoint: `${base}/access/v1/evaluation`,
      access_evaluations_endpoint: `${base}/access/v1/evaluations`,
    },
  ]);
});

test.each([
  '/',
  '/access/v1/Evaluation',
  '/access/v1/evaluation/',
  '/access/v1/%65valuation',
  '/access/v1/../v1/decision',
  '//v1/decision',
  '/v1/approvals',
])('%s is no route', async (path) => {
  const sent = await send(service.url, path, { body: '{}' });
  expect([sent.status, sent.body]).toEqual([
    404,
    { error: { code: 'WIRE_INVALID', message: 'the service has no such route' } },
  ]);
});

test.each([
  ['GET', '/access/v1/evaluation', 'POST'],
  ['PUT', '/access/v1/evaluations', 'POST'],
  ['POST', '/health', 'GET, HEAD'],
  ['OPTIONS', '/v1/decision', 'POST'],
] as const)('%s %s is the wrong method', async (method, path, allow) => {
  const sent = await send(service.url, path, { method });
  expect([sent.status, sent.headers.allow, sent.body]).toEqual([
    405,
    allow,
    { error: { code: 'WIRE_INVALID', message: `the route takes ${allow}` } },
  ]);
});

test('a query or an absolute target reaches the same route', async () => {
  const sent = await send(service.url, '/access/v1/evaluation?trace=1', { body: '{}' });
  expect([sent.status, sent.body]).toEqual([200, ALLOWED]);
  const absolute = await sendRaw(
    service.port,
    `GET ${service.url}/health/live HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\n` +
      'Connection: close\r\n\r\n',
  );
  expect(absolute).toMatch(/^HTTP\/1\.1 200 /);
});

test('HEAD answers as GET does, without the body', async () => {
  const sent = await send(service.url, '/health/ready', { method: 'HEAD' });
  expect([sent.status, sent.body]).toEqual([200, undefined]);
});

test('not ready is told by the status of one route, and by the body of the others', async () => {
  const problem = 'no policy is active';
  const idle = await start(recordingCore({ status: () => ({ ready: false, problem }) }));
  const answers = await Promise.all(
    ['/health', '/health/live', '/health/ready', '/v1/status'].map((path) =>
      send(idle.url, path, { method: 'GET' }),
    ),
  );
  await idle.close();
  expect(answers.map(({ status, body }) => [status, body])).toEqual([
    [200, { live: true, ready: false }],
    [200, { live: true }],
    [503, { ready: false }],
    [200, { ready: false, problem }],
  ]);
});
