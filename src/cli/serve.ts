/** `portcullis serve`: the decision service, until it is told to stop. */
import { existsSync } from 'node:fs';
import { loadConfiguration } from '../config/load.ts';
import type { Variables } from '../config/environment.ts';
import type { Configuration } from '../config/types.gen.ts';
import type { TokenSource } from '../pdp/authentication.ts';
import { watchedCallers, type CertificateCallers } from '../pdp/certificate_callers.ts';
import { startService, type Service } from '../pdp/service.ts';
import type { TlsFiles } from '../pdp/tls.ts';
import { ensureHashedTokens, watchedHashes } from '../pdp/token_hashes.ts';
import { createLogger } from '../telemetry/create_logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK } from './ambient.ts';
import { openDecisionCore } from './compose.ts';
import { openReading } from './evidence/reading_thread.ts';
import { stopSignal } from './stop_signal.ts';
import { print, printJson, type Terminal } from './terminal.ts';

export interface ServeOptions {
  config?: string;
  /** Folder for evidence, token and socket. */
  data?: string;
  bundle?: string;
  policyData?: string;
  listen?: string;
  socket?: string;
  json?: true;
}

/** Names that settings fall back to where nobody chose any. */
const NAMES = { server: 'portcullis', instance: 'main' };

export async function runServe(
  options: ServeOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const configuration = loadConfiguration({
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(variables === undefined ? {} : { variables }),
    overrides: overridesOf(options),
    names: NAMES,
  });
  const log = createLogger(configuration.log, terminal.stderr);
  const opened = new AsyncDisposableStack();
  const stop = stopSignal(opened);
  try {
    const service = await openService(configuration, log, opened);
    announce(service, configuration, options, terminal);
    log.info('the service stops', { signal: await stop });
  } finally {
    await opened.disposeAsync();
  }
  return 0;
}

/**
 * Options in the shape of the configuration file; what was not given is left out, and the text
 * `null` stands for nothing, as in the environment.
 */
function overridesOf(options: ServeOptions): object {
  const { data, bundle, policyData, listen, socket } = options;
  return withoutUndefined({
    state: data,
    policy: withoutUndefined({ bundle, data: orNull(policyData) }),
    pdp: withoutUndefined({ listen: orNull(listen), socket: orNull(socket) }),
  });
}

function orNull(text: string | undefined): string | null | undefined {
  return text === 'null' ? null : text;
}

function withoutUndefined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

async function openService(
  configuration: Configuration,
  log: Logger,
  opened: AsyncDisposableStack,
): Promise<Service> {
  const { pdp } = configuration;
  const { core, evidence } = await openDecisionCore(configuration, log, opened);
  const { directory, index_file } = configuration.evidence;
  const records = openReading({ directory, path: index_file }, pdp.evidence_timeout_ms);
  opened.defer(() => records.close());
  const service = await startService({
    core,
    evidence: {
      tree: evidence.tree,
      records,
      redactions: evidence,
      page_records_max: pdp.evidence_page_records_max,
      page_bytes_max: pdp.evidence_page_bytes_max,
    },
    tokens: openTokens(configuration, log),
    certificates: openCertificates(configuration, log),
    clock: CLOCK,
    settings: { ...pdp, tls: tlsOf(configuration) },
    log,
  });
  opened.defer(() => service.close());
  return service;
}

function openTokens({ pdp, decision_point }: Configuration, log: Logger): TokenSource {
  if (pdp.listen === null) return { current: () => [] };
  ensureHashedTokens(pdp.token_file, decision_point.token_file);
  return watchedHashes(pdp.token_file, CLOCK, log);
}

function openCertificates({ pdp }: Configuration, log: Logger): CertificateCallers {
  const { callers_file } = pdp.tls;
  if (callers_file === null) return { find: () => undefined };
  return watchedCallers(callers_file, CLOCK, log);
}

function tlsOf({ pdp }: Configuration): TlsFiles | null {
  const { cert_file, key_file, client_ca_file } = pdp.tls;
  return cert_file === null || key_file === null ? null : { cert_file, key_file, client_ca_file };
}

function announce(
  { addresses }: Service,
  { decision_point }: Configuration,
  { json }: ServeOptions,
  terminal: Terminal,
): void {
  const isHere = addresses.url !== null && existsSync(decision_point.token_file);
  const token_file = isHere ? decision_point.token_file : null;
  if (json) return printJson(terminal, { ...addresses, token_file });
  if (addresses.url) {
    const where = token_file === null ? '' : `, token in ${token_file}`;
    print(terminal, `decides on ${addresses.url}${where}`);
  }
  if (addresses.socket) print(terminal, `decides on unix:${addresses.socket}`);
}
