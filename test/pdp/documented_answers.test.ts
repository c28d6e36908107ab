/** docs/errors.md says which status carries which body; here each row of it is seen. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PortcullisError, type ErrorCode } from '../../src/errors.ts';
import {
  recordingCore,
  send,
  sendRaw,
  SETTINGS,
  start,
  TOKEN,
  tokenOf,
  tokensOf,
  type Started,
} from './fixture.ts';

const PAGE = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const PATH = '/access/v1/evaluation';

/** Rows such as `400 REQUEST_INVALID yes`. */
const ROWS = [...PAGE.matchAll(/^\| (\d{3}) +\| `([A-Z_]+)` +\| (yes|no) /gm)].map(([, ...cells]) =>
  cells.join(' '),
);

const OTHER = TOKEN.toUpperCase();

let service: Started;
const core = recordingCore({
  evaluation: async (body) => {
    const { fails } = body as { fails: ErrorCode | null };
    if (fails === null) throw new Error('a secret');
    const detail = fails === 'REQUEST_TOO_LARGE' ? { pointer: '/evaluations' } : {};
    throw new PortcullisError(fails, 'the detail', detail);
  },
});
beforeAll(async () => {
  service = await start(core, {}, tokensOf(tokenOf(['decide']), tokenOf(['search'], 'b', OTHER)));
});
afterAll(() => service.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const failing = (fails: ErrorCode | null) => ({ body: JSON.stringify({ fails }) });

/** A request for each row. */
const REQUESTS: Record<string, Parameters<typeof send>[2] & { path?: string }> = {
  '400 REQUEST_INVALID yes': { body: '{' },
  '400 WIRE_INVALID no': { body: '{}', headers: { 'content-type': 'text/plain' } },
  '401 UNAUTHENTICATED no': { body: '{}', headers: { authorization: 'Bearer nobody' } },
  '403 UNAUTHENTICATED no': { body: '{}', headers: { authorization: `Bearer ${OTHER}` } },
  '403 WIRE_INVALID no': { body: '{}', headers: { ...JSON_TYPE, origin: 'http://a.example' } },
  '404 WIRE_INVALID no': { body: '{}', path: '/nowhere' },
  '405 WIRE_INVALID no': { method: 'GET' },
  '413 REQUEST_TOO_LARGE no': { body: ' '.repeat(SETTINGS.body_bytes_max + 1) },
  '413 REQUEST_TOO_LARGE yes': failing('REQUEST_TOO_LARGE'),
  '500 INTERNAL no': failing(null),
  '503 POLICY_ABSENT no': failing('POLICY_ABSENT'),
  '503 EVIDENCE_UNWRITABLE no': failing('EVIDENCE_UNWRITABLE'),
};

test('each row of the page has its request here', () => {
  expect(ROWS).toEqual(Object.keys(REQUESTS));
});

test.each(Object.entries(REQUESTS))('%s', async (row, { path = PATH, ...options }) => {
  const { status, body } = await send(service.url, path, options);
  const { error } = body as { error: { code: string; message: string; pointer?: string } };
  expect(Object.keys(body as object)).toEqual(['error']);
  const pointed = error.pointer === undefined ? 'no' : 'yes';
  expect(`${status} ${error.code} ${pointed}`).toBe(row);
  expect(status < 500 || !/secret|the detail/.test(error.message)).toBe(true);
});

describe('what is no request has no body', () => {
  test.each([
    [400, 'no HTTP at all\r\n\r\n'],
    [431, `GET /health HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('%i', async (status, bytes) => {
    const answer = await sendRaw(service.port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\n\r\n$`));
    expect(answer).toContain('\r\nConnection: close\r\n');
    expect(PAGE).toContain(` ${status} for `);
  });
});
