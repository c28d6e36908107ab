/** TLS towards a decision point: who vouches for it, and what vouches for us. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { systemReason } from '../../contract/system_reason.ts';
import { findPathFault } from '../../contract/trusted_path.ts';
import { PortcullisError } from '../../errors.ts';

/** Paths of PEM files. */
export interface RemoteTls {
  /** Authorities that count, in the place of those of the system. */
  ca_file: string | null;
  /** Our own certificate with its key; null: we have none. */
  cert_file: string | null;
  key_file: string | null;
}

/**
 * Reads the files before each new connection, so that certificates rotate without a restart, and
 * once now. Throws `CONFIGURATION_INVALID` where they cannot be used.
 */
export function tlsConnector(files: RemoteTls, timeout_ms: number): buildConnector.connector {
  readMaterial(files);
  return (options, callback) => {
    try {
      const material = readMaterial(files);
      const connect = buildConnector({ ...material, timeout: timeout_ms, allowH2: false });
      connect(options, callback);
    } catch (error) {
      callback(error as Error, null);
    }
  };
}

/** What OpenSSL and Node say of a certificate that proves nothing, by how their codes begin. */
const CERTIFICATE_FAULT =
  /^(CERT_|CRL_|DEPTH_ZERO_|ERR_TLS_CERT_|HOSTNAME_|INVALID_CA|PATH_|SELF_SIGNED_|UNABLE_TO_)/;

/** The error for a decision point whose certificate is not to be believed; else undefined. */
export function certificateFault(cause: unknown): PortcullisError | undefined {
  const code = String((cause as { code?: unknown }).code);
  if (!CERTIFICATE_FAULT.test(code)) return undefined;
  const message = `the certificate of the decision point does not prove its name (${code})`;
  return new PortcullisError('DECISION_POINT_UNPROVED', message, { cause });
}

function readMaterial({ ca_file, cert_file, key_file }: RemoteTls) {
  const material = {
    minVersion: 'TLSv1.2',
    ...(ca_file !== null && { ca: readTrusted(ca_file, 'ca_file') }),
    ...(cert_file !== null && { cert: readTrusted(cert_file, 'cert_file') }),
    ...(key_file !== null && { key: readTrusted(key_file, 'key_file') }),
  } as const;
  try {
    createSecureContext(material);
  } catch (cause) {
    throw unusable('ca_file', 'holds no PEM, or the key is not that of the certificate', cause);
  }
  return material;
}

function readTrusted(path: string, setting: string): string {
  try {
    const fault = findPathFault(path);
    if (fault) throw unusable(setting, `is not to be trusted: ${fault}`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw unusable(setting, `cannot be read: ${systemReason(cause)}`, cause);
  }
}

function unusable(setting: string, why: string, cause?: unknown): PortcullisError {
  const pointer = `/decision_point/${setting}`;
  const message = `decision_point.${setting} ${why}`;
  return new PortcullisError('CONFIGURATION_INVALID', message, {
    pointer,
    ...(cause !== undefined && { cause }),
  });
}
