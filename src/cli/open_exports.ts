/** Puts the exports of the evidence together: the map of their drivers, and the network they use. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Configuration } from '../config/types.gen.ts';
import { readForeignUrl } from '../decision/foreign/client.ts';
import { openConnection, type HttpFaults } from '../decision/http/connection.ts';
import { PortcullisError } from '../errors.ts';
import { type Exports, openExports, type PlannedExport } from '../evidence/exports/exports.ts';
import { jsonLines } from '../evidence/exports/jsonl/driver.ts';
import { opaDecisionLog } from '../evidence/exports/opa_decision_log/driver.ts';
import { otelLogs } from '../evidence/exports/otel_logs/driver.ts';
import type { HttpReceiver } from '../evidence/exports/receiver.ts';
import type { ExportDriver } from '../evidence/exports/types.ts';
import { nodeFiles } from '../evidence/files.ts';
import type { ProvableLog } from '../evidence/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK } from './ambient.ts';
import { readCertificate, watchedHeaders, watchedToken } from './secrets.ts';
import { VERSION } from './version.ts';

type Export = Configuration['evidence']['exports'][number];

interface Place {
  instance: string;
  version: string;
  origin: string;
  /** Folder for the files of exports that name none. */
  folder: string;
}

/** How each type is opened. Rejects with the reason why it cannot be, now or until a restart. */
const DRIVERS: Readonly<
  Record<Export['type'], (settings: Export, place: Place) => () => Promise<ExportDriver>>
> = {
  opa_decision_log(settings, place) {
    const receiver = openReceiver(settings);
    const { partition } = settings;
    return async () => opaDecisionLog({ ...place, receiver, partition, clock: CLOCK });
  },
  otel_logs(settings, place) {
    const receiver = openReceiver(settings);
    return async () => otelLogs({ ...place, receiver, clock: CLOCK });
  },
  jsonl(settings, { folder }) {
    const path = settings.path ?? join(folder, `${settings.name}.jsonl`);
    return () => jsonLines({ ...settings, path, files: nodeFiles });
  },
};

/**
 * Starts the exports of a log. Throws `CONFIGURATION_INVALID` where a file with a secret cannot be
 * used, and where a required export cannot go on, with its reason.
 */
export function startExports(
  { evidence: settings, instance, state }: Configuration,
  evidence: ProvableLog,
  log: Logger,
): Promise<Exports> {
  const { directory, origin } = settings;
  const folder = join(state, 'exports');
  const place = { instance, version: VERSION, origin, folder };
  const planned = settings.exports.map((each): PlannedExport => ({
    settings: each,
    open: DRIVERS[each.type](each, place),
  }));
  return openExports({
    evidence,
    directory,
    origin,
    cursors: folder,
    planned,
    files: nodeFiles,
    log,
    chance: Math.random,
    wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  });
}

/** Answers are short; a longer one is none. */
const ANSWER_BYTES_MAX = 1_048_576;

/** Each file is read once, so that a start with one that cannot be used fails and says so. */
function openReceiver({
  url,
  token_file,
  headers_file,
  ca_file,
  timeout_ms,
}: Export): HttpReceiver {
  const { origin, base } = readForeignUrl(url ?? '', 'evidence.exports');
  const tls = ca_file !== null && (() => ({ ca: readCertificate('CA file', ca_file) }));
  if (tls) tls();
  const token = token_file === null ? undefined : watchedToken(token_file, CLOCK);
  const headersOf = headers_file === null ? undefined : watchedHeaders(headers_file, CLOCK);
  const connection = openConnection(
    {
      address: { origin, ...(tls && { tls }) },
      timeout_ms,
      answer_bytes_max: ANSWER_BYTES_MAX,
      connections_max: 1,
    },
    FAULTS,
  );
  return {
    async post({ path, headers, body, signal }) {
      const secrets = {
        ...headersOf?.(),
        ...(token && { authorization: `Bearer ${token()}` }),
      };
      const answer = await connection.send({
        method: 'POST',
        path: `${base}${path}`,
        headers: { ...secrets, ...headers },
        body,
        signal,
      });
      const retry_after = answer.headers['retry-after'];
      return {
        status: answer.status,
        body: answer.body,
        retry_after: typeof retry_after === 'string' ? retry_after : undefined,
      };
    },
    close: () => connection.close(),
  };
}

const unreachable = (reason: string, cause?: unknown): PortcullisError =>
  new PortcullisError('UPSTREAM_FAILED', `the receiver did not answer: ${reason}`, { cause });

const FAULTS: HttpFaults = {
  unreachable,
  untrusted: unreachable,
  unproved: (_code, cause) => unreachable('its certificate is not taken', cause),
};
