/** What the tests of exports share: a log, its exports, and time that passes when asked to. */
import { afterEach } from '@jest/globals';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { nodeFiles, type EvidenceFiles } from '../../../src/evidence/files.ts';
import {
  openExports,
  type Exports,
  type PlannedExport,
} from '../../../src/evidence/exports/exports.ts';
import type { ExportDriver, ExportSettings } from '../../../src/evidence/exports/types.ts';
import type { EvidenceEntry, ProvableLog } from '../../../src/evidence/types.ts';
import {
  type LoggedLine,
  openLog,
  ORIGIN,
  recordingLogger,
  temporaryDirectory,
} from '../../support/evidence_log.ts';

export const EXPORT: ExportSettings = {
  name: 'one',
  type: 'tested',
  required: false,
  lag_records_max: 100,
  interval_ms: 1,
  batch_records_max: 4,
  batch_bytes_max: 1_048_576,
  timeout_ms: 2000,
  retry_interval_ms: 100,
  retry_interval_ms_max: 60_000,
};

/** A decision with the members that drivers tell of. */
export function decision(number: number): EvidenceEntry {
  return {
    kind: 'decision',
    evaluation_id: `evaluation-${number}`,
    caller: 'guard',
    profile: 'mcp/1',
    policy: { revision: 'r1', digest: `sha256:${'a'.repeat(64)}` },
    request: {
      subject: { id: 'user:ada', groups: ['tellers'], delegation: ['planner'] },
      action: 'tools/call',
      resource: { type: 'tool', id: 'transfer', server: 'payments' },
      phase: 'call',
      agent: 'planner',
      environment: 'production',
      session: 'active',
      request_id: number,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    decision: false,
    outcome: 'deny',
    visible: true,
    reason_code: 'TRANSFER_LIMIT',
    constraints: {},
    obligations: [],
    rules: ['payments/transfer_limit'],
  };
}

export interface Scene {
  directory: string;
  lines: LoggedLine[];
  /** Waits that were asked for, in ms: lingering is 1, the others follow failures. */
  waits: number[];
  exports: Exports;
  /** The log behind the exports. */
  written: ProvableLog;
  append(count: number): Promise<void>;
  /** Waits for what holds after some turns of the event loop. */
  eventually(holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const open: Scene[] = [];
afterEach(async () => {
  for (const scene of open.splice(0)) await scene.close();
});

export interface SceneOptions {
  directory?: string;
  files?: EvidenceFiles;
  origin?: string;
  /** Waits after failures last until the export closes. */
  patient?: boolean;
  chance?: number;
}

/** A log in a folder of its own, or one that is there, with these exports. */
export async function openScene(
  planned: readonly (Partial<ExportSettings> & {
    open: () => Promise<ExportDriver> | ExportDriver;
  })[],
  options: SceneOptions = {},
): Promise<Scene> {
  const { directory = temporaryDirectory(), files = nodeFiles, origin = ORIGIN } = options;
  const lines: LoggedLine[] = [];
  const waits: number[] = [];
  const log = recordingLogger(lines);
  const logged = { files, log, settings: { linger_us_max: 0 } };
  const written = await openLog(join(directory, 'evidence'), logged);
  const parts = {
    evidence: written,
    directory: join(directory, 'evidence'),
    origin,
    cursors: join(directory, 'exports'),
    planned: planned.map(({ open: opened, ...settings }): PlannedExport => ({
      settings: { ...EXPORT, ...settings },
      open: async () => opened(),
    })),
    files,
    log,
    chance: () => options.chance ?? 1,
    wait: (ms: number, signal: AbortSignal) => {
      waits.push(ms);
      // That of a close, and of who waits on purpose, ends by its signal.
      const isLong = ms === EXPORT.timeout_ms || (options.patient && ms > EXPORT.interval_ms);
      return isLong ? aborted(signal) : nextTurn();
    },
  };
  const exports = await openExports(parts).catch(async (error: unknown) => {
    await written.close();
    throw error;
  });
  let next = written.status().size;
  let closing: Promise<void> | undefined;
  const scene: Scene = {
    directory,
    lines,
    waits,
    exports,
    written,
    async append(count) {
      const numbers = Array.from({ length: count }, (_, at) => next + at);
      next += count;
      await Promise.all(numbers.map((number) => exports.evidence.append(decision(number))));
    },
    async eventually(holds) {
      while (!holds()) await nextTurn();
    },
    close() {
      closing ??= exports.close().then(() => written.close());
      return closing;
    },
  };
  open.push(scene);
  return scene;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}
