/** Over TLS a decision point proves itself by its certificate, a guard by a token or its own. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RemoteTls } from '../../../src/decision/remote/tls.ts';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { ALLOWED, tokenOf } from '../../pdp/fixture.ts';
import { CALLERS, startSecure, type SecureService } from '../../pdp/tls_fixture.ts';
import { authority, type Issued } from '../../support/certificates.ts';
import { CALL, remote } from './fixture.ts';

let service: SecureService;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  service = await startSecure();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await service.close();
});

function put(name: string, text: string): string {
  const path = join(service.folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function files(own?: Issued, ca = service.ca.cert): RemoteTls {
  return {
    ca_file: put('guard_ca.pem', ca),
    cert_file: own ? put('guard.pem', own.cert) : null,
    key_file: own ? put('guard_key.pem', own.key) : null,
  };
}

function guard(tls: RemoteTls, url = service.url): DecisionPoint {
  const token = tls.cert_file === null ? { token: () => tokenOf([]) } : {};
  const settings = { timeout_ms: 5_000, connections_max: 1 };
  const point = remote({ url }, { address: { url, tls, ...token }, ...settings });
  opened.push(point);
  return point;
}

test('a decision is taken from who the authority vouches for, by either proof', async () => {
  expect(await guard(files()).decide(CALL)).toEqual(ALLOWED);
  expect(await guard(files(service.issue())).decide(CALL)).toEqual(ALLOWED);
  expect(service.core.asked.map(({ caller: { id, channel } }) => [id, channel])).toEqual([
    ['caller', 'tcp'],
    ['guard', 'mtls'],
  ]);
});

test('nobody else is believed, whatever the token', async () => {
  expect(await refusal(guard(files(undefined, authority().cert)))).toMatchObject({
    code: 'DECISION_POINT_UNPROVED',
    message: expect.stringMatching(
      /^the certificate of the decision point does not prove its name \([A-Z_]+\)$/,
    ),
    cause: expect.objectContaining({ code: expect.any(String) }),
  });
  expect(service.core.asked).toEqual([]);
});

test('a certificate for another host is none', async () => {
  const other = service.ca.issue({ hosts: ['pdp.example'], usage: 'server' });
  service.write('cert.pem', other.cert);
  service.write('key.pem', other.key);
  service.pass(1_000);
  expect(await refusal(guard(files()))).toMatchObject({
    code: 'DECISION_POINT_UNPROVED',
    message: expect.stringContaining('(ERR_TLS_CERT_ALTNAME_INVALID)'),
  });
});

test('a guard that is taken out of the file has no decision', async () => {
  const point = guard(files(service.issue()));
  expect(await point.decide(CALL)).toEqual(ALLOWED);
  service.write('callers.json', JSON.stringify({ callers: CALLERS.callers.slice(1) }));
  service.pass(1_000);
  expect(await refusal(point)).toMatchObject({
    message: expect.stringContaining('it answered with status 401 and UNAUTHENTICATED'),
  });
});

test("a guard's certificate and authority rotate without a restart", async () => {
  const point = guard(files(service.issue()));
  expect(await point.decide(CALL)).toEqual(ALLOWED);
  const next = authority();
  const own = next.issue({ hosts: ['127.0.0.1'], usage: 'server' });
  service.write('ca.pem', next.cert);
  service.write('cert.pem', own.cert);
  service.write('key.pem', own.key);
  service.pass(1_000);
  files(next.issue({ uris: ['spiffe://acme/guard'], usage: 'client' }), next.cert);
  // The connection from before proves nobody now, and is not used again.
  await refusal(point);
  expect(await point.decide(CALL)).toEqual(ALLOWED);
});

const UNUSABLE = {
  pointer: '/decision_point/ca_file',
  message: 'decision_point.ca_file holds no PEM, or the key is not that of the certificate',
  cause: expect.objectContaining({ code: expect.any(String) }),
};

test.each<[string, () => RemoteTls, object]>([
  [
    'an absent authority',
    () => ({ ...files(), ca_file: join(service.folder, 'none') }),
    {
      pointer: '/decision_point/ca_file',
      message: 'decision_point.ca_file cannot be read: there is no such file or folder',
      cause: expect.objectContaining({ code: 'ENOENT' }),
    },
  ],
  [
    'a key that others may write',
    () => {
      const tls = files(service.issue());
      chmodSync(tls.key_file!, 0o622);
      return tls;
    },
    {
      pointer: '/decision_point/key_file',
      message: expect.stringMatching(
        /^decision_point\.key_file is not to be trusted: `.*guard_key\.pem` can be written by /,
      ),
    },
  ],
  [
    'a key of another certificate',
    () => {
      const tls = files(service.issue());
      put('guard_key.pem', service.issue().key);
      return tls;
    },
    UNUSABLE,
  ],
  [
    'a certificate that is none',
    () => {
      const tls = files(service.issue());
      put('guard.pem', 'nothing');
      return tls;
    },
    UNUSABLE,
  ],
])('%s stops the start', (_what, tls, told) => {
  expect(() => guard(tls())).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', ...told }),
  );
});

test('without TLS a guard takes no address without a token', () => {
  const url = 'http://127.0.0.1:1';
  const refused = expect.objectContaining({
    code: 'CONFIGURATION_INVALID',
    pointer: '/decision_point/url',
    message: '`decision_point.url` is not of HTTPS, so it takes a token and no certificate',
  });
  expect(() => remote({ url }, { address: { url } })).toThrow(refused);
  const tls = files();
  expect(() => guard(tls, url)).toThrow(refused);
});

async function refusal(point: DecisionPoint): Promise<{ code: string; message: string }> {
  return point.decide(CALL).then(
    () => {
      throw new Error('it was taken');
    },
    (error: unknown) => error as { code: string; message: string },
  );
}
