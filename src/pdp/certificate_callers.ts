/**
 * Callers by their certificates: `{"callers": [{"id", "certificate": {"uri" | "dns" |
 * "thumbprint"}, "scopes", "tenants"?}]}`. A certificate that the authority signed says who
 * somebody is; only an entry here says what they may do. The file is read again when it changes;
 * while it cannot be used, no certificate is anybody's.
 */
import { readFileSync } from 'node:fs';
import type { Clock } from '../contract/ambient.ts';
import { jsonFaultText, schemaFaultText } from '../contract/fault_text.ts';
import { parseJson } from '../contract/json.ts';
import { systemReason } from '../contract/system_reason.ts';
import { findPathFault } from '../contract/trusted_path.ts';
import { compileSchema } from '../contract/validate.ts';
import type { Caller, Scope } from '../decision/types.ts';
import { PortcullisError } from '../errors.ts';
import type { PeerCertificate } from '../identity/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { grantedCaller } from './authentication.ts';
import { GRANT } from './token_hashes.ts';
import { watchFiles } from './watched_files.ts';

interface CertificateCaller {
  id: string;
  /** One of them: a subject alternative name, or the SHA-256 thumbprint as base64url. */
  certificate: { uri: string } | { dns: string } | { thumbprint: string };
  scopes: readonly Scope[];
  tenants?: readonly string[];
}

/** Who a certificate belongs to at this moment. */
export interface CertificateCallers {
  find(certificate: PeerCertificate): Caller | undefined;
}

const NAME = { type: 'string', minLength: 1, maxLength: 2048 };

const validate = compileSchema<{ callers: CertificateCaller[] }>({
  $id: 'urn:portcullis:schema:certificate_callers',
  type: 'object',
  properties: {
    callers: {
      type: 'array',
      maxItems: 4096,
      items: {
        type: 'object',
        properties: {
          ...GRANT,
          certificate: {
            type: 'object',
            properties: {
              uri: NAME,
              dns: NAME,
              thumbprint: { type: 'string', pattern: '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$' },
            },
            minProperties: 1,
            maxProperties: 1,
            additionalProperties: false,
          },
        },
        required: ['id', 'certificate', 'scopes'],
        additionalProperties: false,
      },
    },
  },
  required: ['callers'],
  additionalProperties: false,
});

/** Throws `CONFIGURATION_INVALID` where the file cannot be used from the beginning. */
export function watchedCallers(path: string, clock: Clock, log: Logger): CertificateCallers {
  const current = watchFiles({
    paths: [path],
    read: () => readCallers(path),
    clock,
    accepted: (callers) =>
      log.info('the callers file was read again', { callers: callers.map(({ id }) => id) }),
    refused: (error) => {
      log.error('the callers file cannot be used, so no certificate is taken', { error });
      return [];
    },
  });
  return {
    find(certificate) {
      const [found, ...others] = current().filter((caller) => names(caller, certificate));
      // A certificate with the names of two callers proves neither.
      return found && others.length === 0 ? grantedCaller(found, 'mtls') : undefined;
    },
  };
}

function names({ certificate: wanted }: CertificateCaller, found: PeerCertificate): boolean {
  if ('uri' in wanted) return found.uris.includes(wanted.uri);
  if ('dns' in wanted) return found.dns_names.includes(wanted.dns);
  return found.thumbprint === wanted.thumbprint;
}

function readCallers(path: string): readonly CertificateCaller[] {
  const parsed = parseJson(readTrusted(path));
  if (!parsed.ok) throw notCallers(path, `cannot be used: ${jsonFaultText(parsed.fault)}`);
  const read = validate(parsed.value);
  if (!read.ok) throw notCallers(path, `cannot be used: ${schemaFaultText(read.fault)}`);
  return read.value.callers;
}

/** Nothing in it is secret; whoever could write it could make himself a caller. */
function readTrusted(path: string): Uint8Array {
  try {
    const fault = findPathFault(path);
    if (fault) throw notCallers(path, `is not to be trusted: ${fault}`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw notCallers(path, `cannot be read: ${systemReason(cause)}`, { cause });
  }
}

function notCallers(path: string, fault: string, detail: { cause?: unknown } = {}) {
  const message = `the callers file \`${path}\` ${fault}`;
  const pointer = '/pdp/tls/callers_file';
  return new PortcullisError('CONFIGURATION_INVALID', message, { pointer, ...detail });
}
