/** TLS towards a decision point: who vouches for it, and what vouches for us. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { systemReason } from '../../contract/system_reason.ts';
import { findPathFault } from '../../contract/trusted_path.ts';
import { PortcullisError } from '../../errors.ts';
import type { TlsFiles } from '../http/connection.ts';

/** Paths of PEM files. */
export interface RemoteTls {
  /** Authorities that count, in the place of those of the system. */
  ca_file: string | null;
  /** Our own certificate with its key; null: we have none. */
  cert_file: string | null;
  key_file: string | null;
}

const NO_FILES: RemoteTls = { ca_file: null, cert_file: null, key_file: null };

/**
 * Reads the files, each time that it is called, so that certificates rotate without a restart, and
 * once now. Throws `CONFIGURATION_INVALID` where they cannot be used.
 */
export function tlsMaterial(files: RemoteTls = NO_FILES): () => TlsFiles {
  readMaterial(files);
  return () => readMaterial(files);
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

function readTrusted(path: string, setting: string): Buffer {
  try {
    const fault = findPathFault(path);
    if (fault) throw unusable(setting, `is not to be trusted: ${fault}`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw unusable(setting, `cannot be read: ${systemReason(cause)}`, cause);
  }
}

function unusable(setting: string, why: string, cause?: unknown): PortcullisError {
  const pointer = `/decision_point/${setting}`;
  const message = `decision_point.${setting} ${why}`;
  return new PortcullisError('CONFIGURATION_INVALID', message, { pointer, cause });
}
