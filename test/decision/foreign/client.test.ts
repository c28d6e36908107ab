/** What one question to a policy server is, and what is told where it gets no answer. */
import { chmodSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  openForeignClient,
  readForeignUrl,
  type ForeignClient,
  type ForeignCredentials,
  type ForeignSettings,
} from '../../../src/decision/foreign/client.ts';
import { PortcullisError } from '../../../src/errors.ts';
import { pretend, pretendAnswer } from '../remote/fixture.ts';
import { json, servers, type Misbehave } from './fixture.ts';

afterEach(() => servers.close());

function clientOf(
  address: ForeignSettings['address'],
  credentials: ForeignCredentials = {},
): ForeignClient {
  const settings = {
    address,
    timeout_ms: 60_000,
    request_bytes_max: 100,
    response_bytes_max: 1000,
    connections_max: 1,
  };
  return servers.keep(openForeignClient(settings, credentials, { id: () => 'the-id' }));
}

async function answering(act: Misbehave): Promise<ForeignClient> {
  const server = await pretend((request, _body, response) => act(response, request));
  return clientOf({ url: servers.keep(server).url });
}

const failure = (code: string, reason: string) => ({
  code,
  message: `the policy server gave no decision: ${reason}`,
});
const unreachable = (reason: string) => failure('BACKEND_UNREACHABLE', reason);
const invalid = (reason: string) => failure('BACKEND_ANSWER_INVALID', reason);

const OTHER = 'its answer is to another request';
const TYPE = 'its answer is not of the type application/json';
const typed = (type: string): Misbehave => json('{}', 200, { 'content-type': type });

describe('a question', () => {
  test('with a body is posted as JSON, one without is a look, and both want JSON', async () => {
    const seen: { method?: string; headers: IncomingHttpHeaders; body: string }[] = [];
    const server = await pretend(({ method = '', headers }, body, response) => {
      seen.push({ method, headers, body: String(body) });
      json({ fine: true })(response, {} as never);
    });
    const client = clientOf({ url: servers.keep(server).url });
    expect(await client.send({ path: '/a', body: { a: 1 } })).toEqual({ fine: true });
    expect(await client.send({ path: '/a' })).toEqual({ fine: true });
    const headers = { accept: 'application/json', 'x-request-id': 'the-id' };
    expect(seen).toMatchObject([
      {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"a":1}',
      },
      { method: 'GET', headers, body: '' },
    ]);
    expect(seen[1]?.headers).not.toHaveProperty('content-type');
  });

  test('may have as many bytes as the limit says, and no more', async () => {
    const client = await answering(json('{}'));
    const body = { a: 'ä'.repeat(46) };
    expect(await client.send({ path: '/', body })).toEqual({});
    await expect(client.send({ path: '/', body: { a: `${body.a}x` } })).rejects.toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      message: 'the input of the policy is larger than 100 bytes',
    });
  });

  test('is not asked without its token, and the reason is told', async () => {
    const { url } = servers.keep(await pretendAnswer(200, {}));
    const causes = [new PortcullisError('CONFIGURATION_INVALID', 'the file is gone'), new Error()];
    const reasons = [': the file is gone', ''];
    for (const [at, cause] of causes.entries()) {
      const token = () => {
        throw cause;
      };
      const client = clientOf({ url }, { token });
      await expect(client.send({ path: '/' })).rejects.toMatchObject({
        ...unreachable(`there is no token for it${reasons[at]}`),
        cause,
      });
    }
  });
});

describe('an answer', () => {
  test.each<[string, Misbehave]>([
    ['with our request id', json('{"a":1}', 200, { 'x-request-id': 'the-id' })],
    [
      'of the type with a parameter',
      json('{"a":1}', 200, { 'content-type': 'application/json ; charset=utf-8' }),
    ],
    ['of the type in capitals', json('{"a":1}', 200, { 'content-type': 'Application/JSON' })],
  ])('%s is taken', async (_what, act) => {
    expect(await (await answering(act)).send({ path: '/' })).toEqual({ a: 1 });
  });

  test.each<[string, Misbehave, object]>([
    ['to another', json('{}', 200, { 'x-request-id': 'x' }), invalid(OTHER)],
    ['of a type that only ends so', typed('text/x-application/json'), invalid(TYPE)],
    ['of a type that only begins so', typed('application/json-seq'), invalid(TYPE)],
    ['of two types', typed('application/json, text/html'), invalid(TYPE)],
    ['without a type', (response) => response.end('{}'), invalid(TYPE)],
    ['that ends early', json('{'), invalid('its answer is not taken as JSON (malformed)')],
    [
      'that names a member twice',
      json('{"a":1,"a":2}'),
      invalid('its answer is not taken as JSON (duplicate_name)'),
    ],
    ['with status 400', json('{}', 400), invalid('it answered with status 400')],
    ['with status 500', json('{}', 500), unreachable('it answered with status 500')],
  ])('%s is told to be none', async (_what, act, expected) => {
    const client = await answering(act);
    await expect(client.send({ path: '/', refusals: [400] })).rejects.toMatchObject(expected);
  });

  test('with status 400 is about the server where nobody says otherwise', async () => {
    const client = await answering(json('{}', 400));
    await expect(client.send({ path: '/' })).rejects.toMatchObject(
      unreachable('it answered with status 400'),
    );
  });
});

describe('a server behind a socket', () => {
  test('has no path before all others', async () => {
    const socket = join(servers.folder(), 's');
    servers.keep(await pretendAnswer(200, { fine: true }, {}, socket));
    const client = clientOf({ socket });
    expect(client.base).toBe('');
    expect(await client.send({ path: '/' })).toEqual({ fine: true });
    expect(clientOf({ url: 'http://127.0.0.1:1/base/' }).base).toBe('/base');
  });

  test('is not asked in a folder that others can write', async () => {
    const folder = servers.folder();
    const socket = join(folder, 's');
    servers.keep(await pretendAnswer(200, {}, {}, socket));
    chmodSync(folder, 0o777);
    const fault = `\`${folder}\` can be written by others`;
    await expect(clientOf({ socket }).send({ path: '/' })).rejects.toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      message: expect.stringContaining(`its socket is not to be trusted: ${fault}`),
    });
  });

  test('that is not there is told with the cause', async () => {
    const socket = join(servers.folder(), 's');
    await expect(clientOf({ socket }).send({ path: '/' })).rejects.toMatchObject({
      ...unreachable('there is no socket'),
      cause: { code: 'ENOENT' },
    });
  });
});

test.each([
  ['ftp://127.0.0.1', 'is not of the form https://host:port/path'],
  ['http://a.example', 'must begin with https, unless it is on this machine (127.0.0.1, [::1])'],
])('of the address %s it is told what is wrong', (url, fault) => {
  const thrown = (setting: string, pointer: string) =>
    expect.objectContaining({
      code: 'CONFIGURATION_INVALID',
      message: `\`${setting}\` ${fault}`,
      pointer,
    });
  expect(() => readForeignUrl(url)).toThrow(thrown('policy.remote.url', '/policy/remote/url'));
  expect(() => readForeignUrl(url, 'a.b')).toThrow(thrown('a.b', '/a/b'));
});
