/**
 * The certificate that a client showed in the TLS handshake of the host, where the host verified it
 * against its authorities. It names a workload; what kind of actor that is, and of which tenant,
 * the mapping says. Headers in which a proxy names a certificate are no proof.
 */
import type { Clock } from '../../contract/ambient.ts';
import { schemaFaultText } from '../../contract/fault_text.ts';
import type { ActorType } from '../../contract/types.gen.ts';
import { compileSchema } from '../../contract/validate.ts';
import { PortcullisError } from '../../errors.ts';
import { Unproved, isName, present, sourceOf } from '../proof.ts';
import type { IdentitySource, PeerCertificate, TrustedContext } from '../types.ts';
import schema from './mapping.schema.json' with { type: 'json' };

/** See mapping.schema.json. */
export interface MtlsMapping {
  name?: 'uri' | 'dns' | 'email' | 'subject';
  subject_prefix?: string;
  subjects?: Readonly<Record<string, MtlsSubject>>;
}

/** What is known of a name; without an `id` it is the prefix and the name. */
export interface MtlsSubject {
  id?: string;
  actor_type?: ActorType;
  groups?: string[];
  tenant?: string;
}

const SYSTEM_CLOCK: Clock = { now_ms: () => Date.now() };
const { name: NAME, subject_prefix: PREFIX } = schema.properties;

const validate = compileSchema<MtlsMapping>(schema);

/** Throws `CONFIGURATION_INVALID` where the mapping breaks mapping.schema.json. */
export function fromMtls(mapping: MtlsMapping = {}, clock: Clock = SYSTEM_CLOCK): IdentitySource {
  const complete = completeMapping(mapping);
  return sourceOf(({ connection }) => {
    const certificate = connection?.peer_certificate;
    if (!certificate) throw new Unproved('the connection has no verified certificate');
    return contextOf(certificate, complete, clock.now_ms());
  });
}

function completeMapping(mapping: MtlsMapping) {
  const validated = validate(mapping);
  if (!validated.ok) {
    const { pointer } = validated.fault;
    const message = `the mapping of certificates is wrong: ${schemaFaultText(validated.fault)}`;
    throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer });
  }
  const { name = NAME.default as 'uri', subject_prefix = PREFIX.default } = validated.value;
  const { subjects } = structuredClone(validated.value);
  return { name, subject_prefix, subjects };
}

/** The certificate is the credential, and ends with it the session (RFC 5280, section 4.1.2.5). */
function contextOf(
  certificate: PeerCertificate,
  { name, subject_prefix, subjects }: ReturnType<typeof completeMapping>,
  now_ms: number,
): TrustedContext {
  if (now_ms < certificate.valid_from_ms) throw new Unproved('the certificate is not yet valid');
  if (now_ms >= certificate.valid_to_ms) throw new Unproved('the certificate has expired');
  const found = nameOf(certificate, name);
  if (subjects && !Object.hasOwn(subjects, found)) {
    throw new Unproved('the name of the certificate is not mapped');
  }
  const { id = subject_prefix + found, ...attributes } = subjects?.[found] ?? {};
  const evidence = [{ source: 'mtls', claims: [name, 'thumbprint'] }];
  return {
    subject: { type: 'identity', id, properties: { ...present(attributes), evidence } },
    session: { state: 'active', expires_at: new Date(certificate.valid_to_ms).toISOString() },
  };
}

/** One name only: of two nobody knows which is meant. */
function nameOf(certificate: PeerCertificate, kind: NonNullable<MtlsMapping['name']>): string {
  const names = {
    uri: certificate.uris,
    dns: certificate.dns_names,
    email: certificate.emails,
    subject: [certificate.subject],
  }[kind];
  const [name] = names;
  if (names.length === 1 && isName(name)) return name;
  throw new Unproved(`the certificate has not one name of the kind \`${kind}\``);
}
