import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { PortcullisError, type ErrorCode } from '../../src/errors.ts';
import { ALLOWED, recordingCore, send, sendRaw, SETTINGS, start, type Started } from './fixture.ts';

const PATH = '/access/v1/evaluation';
const core = recordingCore();
let service: Started;
beforeAll(async () => {
  service = await start(core);
});
beforeEach(() => {
  core.asked.length = 0;
});
afterAll(() => service.close());

/** Every refusal below must leave the core unasked and the service as it was. */
async function expectRefused(sent: Awaited<ReturnType<typeof send>>, expected: object) {
  expect({ status: sent.status, ...(sent.body as object) }).toEqual(expected);
  expect(core.asked).toEqual([]);
  const next = await send(service.url, PATH, { body: '{}' });
  expect([next.status, next.body]).toEqual([200, ALLOWED]);
}

test.each([
  ['text/plain', undefined],
  ['application/x-www-form-urlencoded', undefined],
  ['application/jsonp', undefined],
  ['application/json; charset=latin1', undefined],
  ['application/json, text/html', undefined],
  ['application/json', 'gzip'],
])('a body announced as %s %s is refused', async (type, encoding) => {
  const headers = {
    'content-type': type,
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  };
  await expectRefused(await send(service.url, PATH, { body: '{}', headers }), {
    status: 400,
    error: { code: 'WIRE_INVALID', message: 'the body must be application/json in UTF-8' },
  });
});

test.each(['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
  'a body announced as %s is taken',
  async (type) => {
    const sent = await send(service.url, PATH, { body: '{}', headers: { 'content-type': type } });
    expect([sent.status, sent.body]).toEqual([200, ALLOWED]);
  },
);

test.each<[string, string | Uint8Array, string, string]>([
  ['an empty body', '', '', 'the body is not JSON'],
  ['a truncated body', '{"subject":', '', 'the body is not JSON'],
  ['two values', '{}{}', '', 'the body is not JSON'],
  ['a byte order mark', '\ufeff{}', '', 'the body is not JSON'],
  ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), '', 'the body is not UTF-8'],
  ['a member twice', '{"a":{"b":1,"b":2}}', '/a', 'an object has a member twice'],
  ['half a surrogate pair', '{"a":["\\ud800"]}', '/a/0', 'a text holds half of a surrogate pair'],
  ['a number beyond a double', '[1e999]', '/0', 'a number is larger than a double can hold'],
  ['__proto__', '{"__proto__":{}}', '', 'a member has a name that is not taken'],
  ['65 levels', '['.repeat(65), '', 'the body is nested deeper than 64 levels'],
])('%s is refused with its place', async (_what, body, pointer, message) => {
  await expectRefused(await send(service.url, PATH, { body }), {
    status: 400,
    error: { code: 'REQUEST_INVALID', message, pointer },
  });
});

const tooLarge = {
  status: 413,
  error: { code: 'REQUEST_TOO_LARGE', message: 'a body holds at most 4096 bytes' },
};

test('a body of just the limit is taken, one byte more is refused', async () => {
  const body = JSON.stringify('x'.repeat(SETTINGS.body_bytes_max - 2));
  expect((await send(service.url, PATH, { body })).status).toBe(200);
  core.asked.length = 0;
  await expectRefused(await send(service.url, PATH, { body: `${body} ` }), tooLarge);
});

test('a body that grows past the limit without having said so is refused', async () => {
  const chunk = 'x'.repeat(0x800);
  const answer = await sendRaw(
    service.port,
    `POST ${PATH} HTTP/1.1\r\nHost: localhost:${service.port}\r\nConnection: close\r\n` +
      'Authorization: Bearer a-token-of-the-tests-0123456789abcdef\r\n' +
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `800\r\n${chunk}\r\n800\r\n${chunk}\r\n1\r\nx\r\n0\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(core.asked).toEqual([]);
});

const strangeHost = {
  status: 400,
  error: { code: 'WIRE_INVALID', message: 'the host is not one that this service is known by' },
};

test.each(['evil.example', 'localhost', '127.0.0.1:1', ''])(
  'the host `%s` is refused',
  async (host) => {
    await expectRefused(
      await send(service.url, PATH, { body: '{}', headers: { host } }),
      strangeHost,
    );
  },
);

test('a request of HTTP/1.0 without a host is refused', async () => {
  const answer = await sendRaw(service.port, 'GET /health HTTP/1.0\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('a host of the settings is served', async () => {
  const named = await start(core, { hosts: ['PDP.internal:8181'] });
  const headers = { host: 'pdp.INTERNAL:8181' };
  const sent = await send(named.url, PATH, { body: '{}', headers });
  await named.close();
  expect(sent.status).toBe(200);
});

test.each(['http://evil.example', 'null', ''])('the origin `%s` is refused', async (origin) => {
  await expectRefused(await send(service.url, PATH, { body: '{}', headers: { origin } }), {
    status: 403,
    error: { code: 'WIRE_INVALID', message: 'requests of web pages are not served' },
  });
});

test('the request id is repeated on an answer and on a refusal', async () => {
  const headers = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' };
  const answers = await Promise.all([
    send(service.url, PATH, { body: '{}', headers }),
    send(service.url, PATH, { body: '{', headers }),
    send(service.url, '/nowhere', { body: '{}', headers }),
  ]);
  expect(answers.map(({ status, headers: { 'x-request-id': id } }) => [status, id])).toEqual([
    [200, headers['x-request-id']],
    [400, headers['x-request-id']],
    [404, headers['x-request-id']],
  ]);
});

test.each([['x'.repeat(129)], ['a b'], ['\u00e9']])('the request id %j is not', async (id) => {
  const sent = await send(service.url, PATH, { body: '{}', headers: { 'x-request-id': id } });
  expect([sent.status, sent.headers['x-request-id']]).toEqual([200, undefined]);
});

test.each<[ErrorCode, number, object]>([
  ['REQUEST_INVALID', 400, { code: 'REQUEST_INVALID', message: 'the detail', pointer: '/a' }],
  ['REQUEST_TOO_LARGE', 413, { code: 'REQUEST_TOO_LARGE', message: 'the detail', pointer: '/a' }],
  ['UNAUTHENTICATED', 403, { code: 'UNAUTHENTICATED', message: 'the detail', pointer: '/a' }],
  [
    'POLICY_ABSENT',
    503,
    {
      code: 'POLICY_ABSENT',
      message: 'no policy is active, or the active one is older than its maximum age',
    },
  ],
  [
    'EVIDENCE_UNWRITABLE',
    503,
    {
      code: 'EVIDENCE_UNWRITABLE',
      message: 'a record could not be made durable, so its decision was not given',
    },
  ],
  [
    'ENGINE_ABORTED',
    500,
    {
      code: 'INTERNAL',
      message: 'the request was refused for a reason that the log of the service tells',
    },
  ],
])('%s of the core is a %i, its detail goes to the log once', async (code, status, error) => {
  const failing = await start(
    recordingCore({
      evaluation: async () => {
        throw new PortcullisError(code, 'the detail', { pointer: '/a' });
      },
    }),
  );
  const sent = await send(failing.url, PATH, { body: '{}', headers: { 'x-request-id': 'r-1' } });
  await failing.close();
  expect([sent.status, sent.body]).toEqual([status, { error }]);
  const fields = { code, error: expect.any(PortcullisError), request_id: 'r-1' };
  const line = { level: 'error', message: 'a request got no decision', fields };
  expect(failing.log.lines).toEqual(status < 500 ? [] : [line]);
});

test('an exception that nobody expects tells the caller nothing', async () => {
  const failing = await start(
    recordingCore({
      evaluation: async () => {
        throw new TypeError('a secret of the host');
      },
    }),
  );
  const sent = await send(failing.url, PATH, { body: '{}' });
  const again = await send(failing.url, '/v1/decision', { body: '{}' });
  await failing.close();
  expect(sent.body).toEqual({
    error: {
      code: 'INTERNAL',
      message: 'the request was refused for a reason that the log of the service tells',
    },
  });
  expect([sent.status, again.status]).toEqual([500, 200]);
});
