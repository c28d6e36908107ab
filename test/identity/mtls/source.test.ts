import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { readCertificate } from '../../../src/identity/connection_facts.ts';
import { fromMtls, type MtlsMapping } from '../../../src/identity/mtls/source.ts';
import type { PeerCertificate, RequestExtra } from '../../../src/identity/types.ts';
import { authority, type Subject } from '../../support/certificates.ts';
import { CANARY, describeSource } from '../shared_suite.ts';

const NOW_MS = Date.UTC(2027, 0, 1, 12);
const clock = { now_ms: () => NOW_MS };
const ca = authority();
const TIMES = { valid_from: new Date(NOW_MS - 1_000), valid_to: new Date(NOW_MS + 60_000) };

function certificateOf(subject: Subject): PeerCertificate {
  const { cert } = ca.issue({ ...TIMES, ...subject, usage: 'client' });
  return readCertificate(new X509Certificate(cert));
}

function by(subject: Subject): RequestExtra {
  return { requestInfo: {}, connection: { peer_certificate: certificateOf(subject) } };
}

const uris = ['spiffe://acme/desk'];
const session = { state: 'active', expires_at: '2027-01-01T12:01:00.000Z' } as const;
const mapped = (mapping: MtlsMapping) => fromMtls(mapping, clock);
const DESK = { id: 'service:desk', actor_type: 'automation', groups: ['tellers'], tenant: 'acme' };
const KNOWN = { subjects: { 'spiffe://acme/desk': DESK } } as MtlsMapping;

describeSource('mtls', {
  source: fromMtls({}, clock),
  proved: [
    {
      what: 'the one URI of a certificate',
      extra: by({ uris, hosts: ['a', 'b'], common_name: 'desk' }),
      context: {
        subject: {
          type: 'identity',
          id: 'workload:spiffe://acme/desk',
          properties: { evidence: [{ source: 'mtls', claims: ['uri', 'thumbprint'] }] },
        },
        session,
      },
    },
  ],
  unproved: [
    { what: 'no connection', extra: {}, reason: 'the connection has no verified certificate' },
    {
      what: 'a connection without a certificate',
      extra: { connection: {} },
      reason: 'the connection has no verified certificate',
    },
    {
      what: 'headers of a proxy',
      extra: { requestInfo: { headers: { 'x-forwarded-client-cert': `URI=${CANARY}` } } },
      reason: 'the connection has no verified certificate',
    },
    ...[
      { what: 'no name of the kind', extra: by({ hosts: ['desk.example'] }) },
      { what: 'two names of the kind', extra: by({ uris: [...uris, 'spiffe://acme/other'] }) },
    ].map((each) => ({
      ...each,
      reason: 'the certificate has not one name of the kind `uri`',
    })),
    {
      what: 'a name that is not mapped',
      source: mapped({ subjects: { 'spiffe://acme/other': {} } }),
      extra: by({ uris }),
      reason: 'the name of the certificate is not mapped',
    },
    {
      what: 'a name of the prototype',
      source: mapped({ name: 'dns', subjects: {} }),
      extra: by({ hosts: ['constructor'] }),
      reason: 'the name of the certificate is not mapped',
    },
    {
      what: 'a certificate that has expired on an open connection',
      extra: by({ uris, valid_to: new Date(NOW_MS) }),
      reason: 'the certificate has expired',
    },
    {
      what: 'a certificate that is not yet valid',
      extra: by({ uris, valid_from: new Date(NOW_MS + 1_000) }),
      reason: 'the certificate is not yet valid',
    },
    {
      what: 'a name beyond all limits',
      extra: by({ uris: [`spiffe://${'a'.repeat(600)}`] }),
      reason: 'the identity breaks its schema at `/subject/id` (maxLength)',
    },
  ],
});

describeSource('mtls', {
  source: mapped(KNOWN),
  proved: [
    {
      what: 'what is known of a name',
      extra: by({ uris }),
      context: {
        subject: {
          type: 'identity',
          id: 'service:desk',
          properties: {
            actor_type: 'automation',
            groups: ['tellers'],
            tenant: 'acme',
            evidence: [{ source: 'mtls', claims: ['uri', 'thumbprint'] }],
          },
        },
        session,
      },
    },
  ],
  unproved: [
    {
      what: 'TCP without TLS',
      extra: { connection: {} },
      reason: 'the connection has no verified certificate',
    },
  ],
});

test.each<[MtlsMapping, Subject, string]>([
  [{ name: 'dns', subject_prefix: 'host:' }, { hosts: ['desk.example'] }, 'host:desk.example'],
  [{ name: 'email', subject_prefix: 'user:' }, { emails: ['a@b.c'] }, 'user:a@b.c'],
  [{ name: 'subject' }, { common_name: 'desk, O=x' }, 'workload:CN=desk\\, O=x'],
])('%j takes that name', (mapping, subject, id) => {
  expect(mapped(mapping)(by(subject))?.subject.id).toBe(id);
});

test.each<[unknown, string]>([
  [{ name: 'ip' }, '/name'],
  [{ subject_prefix: 'Workload' }, '/subject_prefix'],
  [{ subjects: { a: { actor_type: 'robot' } } }, '/subjects/a/actor_type'],
  [{ subjects: { a: { admin: true } } }, '/subjects/a/admin'],
  [{ names: 'uri' }, '/names'],
])('the mapping %j is refused', (mapping, pointer) => {
  expect(() => fromMtls(mapping as MtlsMapping)).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer }),
  );
});
