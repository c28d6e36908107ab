/** The service over TLS: whose certificate counts, and until when. */
import { chmodSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ALLOWED, TOKEN } from './fixture.ts';
import { authority, selfSigned, type Issued } from '../support/certificates.ts';
import { ask, CALLERS, GUARD, startSecure, type SecureService, type Told } from './tls_fixture.ts';

let service: SecureService;
beforeEach(async () => {
  service = await startSecure();
});
afterEach(() => service.close());

const HOUR_MS = 3_600_000;
const BEARER = { authorization: `Bearer ${TOKEN}` };
const REFUSED = "the client's certificate is that of no caller";

function unauthenticated(message: string) {
  return { status: 401, body: { error: { code: 'UNAUTHENTICATED', message } } };
}

test('a certificate that is mapped is its caller, with what the file says of it', async () => {
  expect(await ask(service, service.issue())).toMatchObject({ status: 200, body: ALLOWED });
  await ask(service, service.issue({ hosts: ['acme.example'], usage: 'client' }));
  expect(service.core.asked.map(({ caller }) => caller)).toEqual([
    { id: 'guard', channel: 'mtls', scopes: new Set(['decide']) },
    {
      id: 'acme',
      channel: 'mtls',
      scopes: new Set(['decide', 'attest:actor']),
      tenants: new Set(['acme']),
    },
  ]);
});

test('a thumbprint is one certificate, and no other of the same name', async () => {
  const [one, other] = [service.issue({ common_name: 'a' }), service.issue({ common_name: 'a' })];
  const certificate = { thumbprint: one.thumbprint };
  service.write(
    'callers.json',
    JSON.stringify({ callers: [{ id: 'one', certificate, scopes: ['decide'] }] }),
  );
  service.pass(1_000);
  expect((await ask(service, one)).status).toBe(200);
  expect(await ask(service, other)).toMatchObject(unauthenticated(REFUSED));
});

describe('a certificate that proves nobody', () => {
  const past = (): object => ({
    valid_from: new Date(Date.now() - 2 * HOUR_MS),
    valid_to: new Date(Date.now() - HOUR_MS),
  });
  const future = (): object => ({ valid_from: new Date(Date.now() + HOUR_MS) });
  const rows: [string, () => Issued][] = [
    ['has expired', () => service.issue({ ...GUARD, ...past() })],
    ['is not yet valid', () => service.issue({ ...GUARD, ...future() })],
    ['is signed by itself', () => selfSigned(GUARD)],
    ['is of another authority of the same name', () => authority().issue(GUARD)],
    ['is for servers', () => service.issue({ ...GUARD, usage: 'server' })],
    ['is of nobody in the file', () => service.issue({ uris: ['spiffe://acme/other'] })],
    ['has the name as another kind', () => service.issue({ hosts: ['spiffe://acme/guard'] })],
    ['has the name as its subject', () => service.issue({ common_name: 'spiffe://acme/guard' })],
    [
      'hides the name in another one',
      () => service.issue({ hosts: ['x, URI:spiffe://acme/guard, DNS:y'] }),
    ],
    ['has the names of two callers', () => service.issue({ ...GUARD, hosts: ['acme.example'] })],
  ];
  test.each(rows)('%s', async (_what, issue) => {
    const told = await ask(service, issue());
    expect(told).toMatchObject(unauthenticated(REFUSED));
    expect(told.headers['connection']).toBe('close');
    expect(service.core.asked).toEqual([]);
  });
});

test('without a certificate a token counts, over a connection that is encrypted', async () => {
  expect((await ask(service, {}, { headers: BEARER })).status).toBe(200);
  expect(service.core.asked[0]?.caller).toMatchObject({ id: 'caller', channel: 'tcp' });
  expect(await ask(service, {})).toMatchObject(unauthenticated('a valid bearer token is needed'));
});

test('who shows a certificate and a token is nobody', async () => {
  const both = await ask(service, service.issue(), { headers: BEARER });
  expect(both).toMatchObject(unauthenticated('a caller has a certificate or a token'));
  const stranger = await ask(service, selfSigned(GUARD), { headers: BEARER });
  expect(stranger.status).toBe(401);
  expect(service.core.asked).toEqual([]);
});

test('public routes are open to each of them, and the metadata say https', async () => {
  const path = '/.well-known/authzen-configuration';
  for (const shown of [{}, service.issue(), selfSigned(GUARD)]) {
    expect(await ask(service, shown, { path })).toMatchObject({
      status: 200,
      body: {
        policy_decision_point: service.url,
        access_evaluation_endpoint: `${service.url}/access/v1/evaluation`,
      },
    });
  }
  expect(service.url).toMatch(/^https:/);
});

test('TLS is 1.2 or later', async () => {
  expect((await ask(service, service.issue(), { maxVersion: 'TLSv1.2' })).status).toBe(200);
  await expect(ask(service, service.issue(), { maxVersion: 'TLSv1.1' })).rejects.toThrow(
    /version|protocol|disconnected|reset/i,
  );
});

test('a client sees the certificate of another authority, or of another host', async () => {
  await expect(ask({ ...service, ca: authority() }, {})).rejects.toMatchObject({
    code: expect.stringMatching(/CERT|SIGNATURE/),
  });
  const elsewhere = await startSecure({ hosts: ['pdp.example'] });
  const refused = ask(elsewhere, {});
  await expect(refused).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  await elsewhere.close();
});

describe('while a connection stays open', () => {
  let agent: Agent;
  let shown: Issued;
  beforeEach(() => {
    shown = service.issue();
    agent = new Agent({ keepAlive: true, maxSockets: 1, ca: service.ca.cert, ...shown });
  });
  afterEach(() => agent.destroy());

  const again = (): Promise<Told & { reused: boolean }> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const options = { agent, method: 'POST', headers };
      const sent = request(`${service.url}/access/v1/evaluation`, options, (answer) => {
        answer.resume().on('end', () => {
          const { statusCode: status = 0, headers: heard } = answer;
          resolve({ status, headers: heard, body: undefined, reused: sent.reusedSocket });
        });
      });
      sent.on('error', reject).end('{}');
    });

  test('who is taken out of the file is nobody from then on', async () => {
    expect((await again()).status).toBe(200);
    service.write('callers.json', JSON.stringify({ callers: CALLERS.callers.slice(1) }));
    service.pass(1_000);
    expect(await again()).toMatchObject({ status: 401, reused: true });
    expect((await again()).status).toBe(401);
    service.write('callers.json', JSON.stringify(CALLERS));
    service.pass(1_000);
    expect((await again()).status).toBe(200);
  });

  test('a certificate ends with its time', async () => {
    expect((await again()).status).toBe(200);
    service.pass(25 * HOUR_MS);
    expect(await again()).toMatchObject({ status: 401, reused: true });
  });

  test('an authority that is replaced vouches for nobody any more', async () => {
    expect((await again()).status).toBe(200);
    const next = authority();
    service.write('ca.pem', next.cert);
    service.pass(1_000);
    expect(await again()).toMatchObject({ status: 401, reused: true });
    expect((await again()).status).toBe(401);
    expect((await ask(service, next.issue(GUARD))).status).toBe(200);
  });

  test('files that cannot be used leave TLS as it was, and no certificate counts', async () => {
    expect((await again()).status).toBe(200);
    service.write('ca.pem', 'nothing');
    service.pass(1_000);
    expect(await again()).toMatchObject({ status: 401, reused: true });
    expect((await ask(service, {}, { headers: BEARER })).status).toBe(200);
    service.write('ca.pem', service.ca.cert);
    service.pass(1_000);
    expect((await again()).status).toBe(200);
    expect(service.log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'the files of TLS cannot be used, so no client certificate is taken'],
      ['info', 'the files of TLS were read again'],
    ]);
  });

  test('a callers file that cannot be used lets nobody in', async () => {
    expect((await again()).status).toBe(200);
    const path = service.write('callers.json', '{"callers": [');
    service.pass(1_000);
    expect((await again()).status).toBe(401);
    service.write('callers.json', JSON.stringify(CALLERS));
    chmodSync(path, 0o666);
    service.pass(1_000);
    expect((await again()).status).toBe(401);
  });
});

test('the certificate of the service rotates, its key too, without a connection lost', async () => {
  expect((await ask(service, service.issue())).status).toBe(200);
  const next = service.ca.issue({ hosts: ['127.0.0.1'], usage: 'server' });
  service.write('cert.pem', next.cert);
  service.pass(1_000);
  // Halfway the key is not that of the certificate.
  expect((await ask(service, {}, { headers: BEARER })).status).toBe(200);
  service.write('key.pem', next.key);
  service.pass(1_000);
  expect(await servedBy(service)).toBe(next.thumbprint);
  expect((await ask(service, service.issue())).status).toBe(200);
});

function servedBy({ url, ca }: SecureService): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/health/live`, { ca: ca.cert, agent: false }, (answer) => {
      const socket = answer.socket as unknown as {
        getPeerCertificate(): { fingerprint256: string };
      };
      const hex = socket.getPeerCertificate().fingerprint256.replaceAll(':', '');
      answer.resume().on('end', () => resolve(Buffer.from(hex, 'hex').toString('base64url')));
    });
    sent.on('error', reject).end();
  });
}
