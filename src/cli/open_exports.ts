/** Puts the exports of the evidence together: the map of their drivers, with what each needs. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Configuration } from '../config/types.gen.ts';
import { type Exports, openExports, type PlannedExport } from '../evidence/exports/exports.ts';
import { jsonLines } from '../evidence/exports/jsonl/driver.ts';
import { opaDecisionLog } from '../evidence/exports/opa_decision_log/driver.ts';
import { otelLogs } from '../evidence/exports/otel_logs/driver.ts';
import type { ExportDriver } from '../evidence/exports/types.ts';
import { nodeFiles } from '../evidence/files.ts';
import type { ProvableLog } from '../evidence/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK } from './ambient.ts';
import { openReceiver } from './export_receiver.ts';
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
    // A receiver that is away keeps no process alive; what is left is sent after the next start.
    wait: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
  });
}
