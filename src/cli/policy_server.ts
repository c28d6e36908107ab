/** Opens what asks the policy server of `policy.remote`, with what proves us to it and it to us. */
import type { Clock } from '../contract/ambient.ts';
import type { Configuration } from '../config/types.gen.ts';
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
import type { EvidenceLog } from '../evidence/types.ts';
import { readPrivateFile } from '../pdp/private_file.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK, RANDOM } from './ambient.ts';
import { readCertificate, watchedToken } from './secrets.ts';

type Policy = Configuration['policy'];
type Remote = Policy['remote'];

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
