/** Which scope opens which route: every route with every scope alone, and with none. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Scope } from '../../src/decision/types.ts';
import { SCOPES } from '../../src/pdp/authentication.ts';
import { ROUTES } from '../../src/pdp/routes.ts';
import { recordingCore, send, start, tokenOf, tokensOf, type Started } from './fixture.ts';

const core = recordingCore();
const tokenFor = (scope: Scope): string => `token-of-${scope.replace(':', '-')}-0123456789abcdef01`;
let service: Started;
beforeAll(async () => {
  const tokens = SCOPES.map((scope) => tokenOf([scope], scope.replace(':', '-'), tokenFor(scope)));
  service = await start(core, {}, tokensOf(...tokens));
});
afterAll(() => service.close());

/** Statuses with each scope alone, in the order of `SCOPES`, and without a token. */
const TABLE: Record<string, number[]> = {
  //                                         decide attest search approve evidence administer none
  'POST /access/v1/evaluation': [200, 403, 403, 403, 403, 403, 401],
  'POST /access/v1/evaluations': [200, 403, 403, 403, 403, 403, 401],
  'POST /v1/decision': [200, 403, 403, 403, 403, 403, 401],
  'POST /v1/outcomes': [200, 403, 403, 403, 403, 403, 401],
  'POST /v1/evidence/redactions': [403, 403, 403, 403, 403, 400, 401],
  'GET /v1/status': [200, 403, 403, 403, 403, 403, 401],
  'GET /v1/evidence/checkpoint': [403, 403, 403, 403, 200, 403, 401],
  'GET /v1/evidence/tile/{path}': [403, 403, 403, 403, 200, 403, 401],
  'GET /v1/evidence/records': [403, 403, 403, 403, 200, 403, 401],
  'GET /v1/evidence/records/{index}': [403, 403, 403, 403, 200, 403, 401],
  'GET /v1/evidence/receipts/{record}': [403, 403, 403, 403, 200, 403, 401],
  'GET /health': [200, 200, 200, 200, 200, 200, 200],
  'GET /health/live': [200, 200, 200, 200, 200, 200, 200],
  'GET /health/ready': [200, 200, 200, 200, 200, 200, 200],
  'GET /.well-known/authzen-configuration': [200, 200, 200, 200, 200, 200, 200],
  'GET /openapi.json': [200, 200, 200, 200, 200, 200, 200],
};

test('the scopes are these, and every route has a row', () => {
  expect(SCOPES).toEqual(['decide', 'attest:actor', 'search', 'approve', 'evidence', 'administer']);
  expect(Object.keys(TABLE)).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`));
});

test.each(Object.entries(TABLE))('%s', async (route, expected) => {
  const [method, template] = route.split(' ') as ['GET' | 'POST', string];
  const path = template.replace('{path}', '0/000').replace(/\{\w+\}/, '0');
  const body = method === 'POST' ? { body: '{"evaluations":[{}]}' } : {};
  const credentials = [...SCOPES.map((scope) => `Bearer ${tokenFor(scope)}`), ''];
  const statuses: number[] = [];
  for (const authorization of credentials) {
    core.asked.length = 0;
    const sent = await send(service.url, path, { method, headers: { authorization }, ...body });
    statuses.push(sent.status);
    if (sent.status !== 200) expect(core.asked).toEqual([]);
  }
  expect(statuses).toEqual(expected);
});
