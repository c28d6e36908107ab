/** Who a server on TLS must be, and how it is spoken to. */
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { PortcullisError } from '../../../src/errors.ts';
import { authority, type Issued } from '../../support/certificates.ts';
import { failureOf, GET, opened, servers } from './fixture.ts';

afterEach(() => servers.close());

const CA = authority();
const issued = (hosts = ['127.0.0.1']): Issued => CA.issue({ hosts, usage: 'server' });

/** Speaks HTTP/2 with whoever can, and says how it was spoken to. */
async function secure({ cert, key }: Issued): Promise<string> {
  const server = createSecureServer({ cert, key, allowHTTP1: true }, (request, response) => {
    response.end(request.httpVersion);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.keep(server);
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('HTTP/1.1 is spoken, though the server would rather speak HTTP/2', async () => {
  const origin = await secure(issued());
  const { body } = await opened({ origin, tls: () => ({ ca: CA.cert }) }).send(GET);
  expect(Buffer.from(body).toString()).toBe('1.1');
});

test.each<[string, () => Issued, string, string]>([
  ['of another host', () => issued(['pdp.example.com']), CA.cert, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['of another authority', issued, authority('another').cert, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
])('a certificate %s proves nothing', async (_what, own, ca, code) => {
  const origin = await secure(own());
  const failed = await failureOf(opened({ origin, tls: () => ({ ca }) }).send(GET));
  expect(failed).toMatchObject({ message: `unproved: ${code}`, cause: { code } });
});

test('nobody is asked while the certificates cannot be read, and the reason is told', async () => {
  const origin = await secure(issued());
  const own = new PortcullisError('CONFIGURATION_INVALID', 'the key is gone');
  const other = new TypeError('canary');
  const causes: Error[] = [own, other];
  const connection = opened({
    origin,
    tls: () => {
      const cause = causes.shift();
      if (cause) throw cause;
      return { ca: CA.cert };
    },
  });
  expect(await failureOf(connection.send(GET))).toBe(own);
  const failed = await failureOf(connection.send(GET));
  expect(failed.message).toBe('unreachable: the certificates for it cannot be read');
  expect(failed.cause).toBe(other);
  await expect(connection.send(GET)).resolves.toMatchObject({ status: 200 });
});
