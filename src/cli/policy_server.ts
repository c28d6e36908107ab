/** Opens what asks the policy server of `policy.remote`, with what proves us to it and it to us. */
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../contract/ambient.ts';
import type { Configuration } from '../config/types.gen.ts';
import { systemReason } from '../contract/system_reason.ts';
import { findPathFault } from '../contract/trusted_path.ts';
import {
  openForeignClient,
  type ForeignClient,
  type ForeignSettings,
} from '../decision/foreign/client.ts';
import {
  openForeignEvaluator,
  type ForeignBackend,
  type ForeignEvaluator,
} from '../decision/foreign/evaluator.ts';
import { projectionOf } from '../decision/foreign/project.ts';
import type { TlsFiles } from '../decision/http/connection.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceLog } from '../evidence/types.ts';
import { readPrivateFile } from '../pdp/private_file.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK, RANDOM } from './ambient.ts';

type Policy = Configuration['policy'];
type Remote = Policy['remote'];

/** How long a change of the token file may go unseen. */
const LOOK_INTERVAL_MS = 1_000;

const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/** Opens a policy server as `backendOf` asks it. Rejects where it does not decide. */
export async function openPolicyServer(
  policy: Policy,
  { evidence, log }: { evidence: EvidenceLog; log: Logger },
  backendOf: (client: ForeignClient, remote: Remote & { server: string }) => ForeignBackend,
): Promise<ForeignEvaluator> {
  const { remote, evaluation } = policy;
  const server = remote.socket ?? remote.url ?? '';
  const settings = {
    ...remote,
    address: addressOf(remote),
    request_bytes_max: evaluation.input_bytes_max,
  };
  const client = openForeignClient(settings, credentialsOf(remote, CLOCK), RANDOM);
  return openForeignEvaluator({
    ...remote,
    backend: backendOf(client, { ...remote, server }),
    projection: projectionOf(remote.arguments),
    clock: CLOCK,
    evidence,
    log,
  });
}

function addressOf({ socket, url }: Remote): ForeignSettings['address'] {
  return socket === null ? { url: url ?? '' } : { socket };
}

/** Reads each file once, so that a start with one that cannot be used fails and says so. */
function credentialsOf(
  { token_file, ca_file, cert_file, key_file }: Remote,
  clock: Clock,
): { token?: () => string; tls?: () => TlsFiles } {
  const tls = (): TlsFiles => ({
    ...(ca_file !== null && { ca: readCertificate('CA file', ca_file) }),
    ...(cert_file !== null && { cert: readCertificate('certificate', cert_file) }),
    ...(key_file !== null && { key: readPrivateFile({ path: key_file, what: 'key file' }) }),
  });
  tls();
  return { tls, ...(token_file !== null && { token: watchedToken(token_file, clock) }) };
}

/** Whoever could write it would choose who is believed. */
function readCertificate(what: string, path: string): Uint8Array {
  try {
    const fault = findPathFault(path);
    if (fault === undefined) return readFileSync(path);
    const message = `the ${what} \`${path}\` is not to be trusted: ${fault}`;
    throw new PortcullisError('CONFIGURATION_INVALID', message);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    const message = `the ${what} \`${path}\` cannot be read: ${systemReason(cause)}`;
    throw new PortcullisError('CONFIGURATION_INVALID', message, { cause });
  }
}

/**
 * The token of a file, which is looked at again, at most once a second, as it is asked for. Throws
 * `CONFIGURATION_INVALID` where there is none: the token before it may have been revoked.
 */
export function watchedToken(path: string, clock: Clock): () => string {
  let version = versionOf(path);
  let token: string | undefined = readToken(path);
  let looked_at_ms = clock.now_ms();
  return () => {
    const now_ms = clock.now_ms();
    const isDue = Math.abs(now_ms - looked_at_ms) >= LOOK_INTERVAL_MS;
    if (isDue) looked_at_ms = now_ms;
    const found = isDue ? versionOf(path) : version;
    if (found !== version) token = undefined;
    version = found;
    token ??= readToken(path);
    return token;
  };
}

function readToken(path: string): string {
  const file = { path, what: 'token file' };
  const token = Buffer.from(readPrivateFile(file)).toString('latin1').trim();
  if (TOKEN.test(token)) return token;
  const message = `the token file \`${path}\` must hold one token and nothing else`;
  throw new PortcullisError('CONFIGURATION_INVALID', message);
}

/** Changes whenever the file is written, replaced, or has its permissions changed. */
function versionOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return 'absent';
  return [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}
