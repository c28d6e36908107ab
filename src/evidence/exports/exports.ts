/**
 * The exports of a log. They read what is durable; the log hears of them only where an export is
 * required and too far behind: then nothing is decided until it has caught up.
 */
import { systemReason } from '../../contract/system_reason.ts';
import { PortcullisError } from '../../errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EvidenceFiles } from '../files.ts';
import { readRecords } from '../records.ts';
import type { EvidenceEntry, EvidenceStatus, ProvableLog, Redaction } from '../types.ts';
import { openCursor } from './cursor.ts';
import { type Ambient, Exporter } from './exporter.ts';
import type { ExportDriver, ExportSettings, ExportStatus, RecordSource } from './types.ts';

/** One export as it is configured. */
export interface PlannedExport {
  settings: ExportSettings;
  open(): Promise<ExportDriver>;
}

export interface ExportsParts extends Ambient {
  evidence: ProvableLog;
  /** Folder of the log. */
  directory: string;
  /** Name of the log. */
  origin: string;
  /** Folder in which each export keeps how far it came. */
  cursors: string;
  planned: readonly PlannedExport[];
  files: EvidenceFiles;
  log: Logger;
}

export interface Exports {
  /** The log, through which everything is to be appended from here on. */
  evidence: ProvableLog;
  /** Sends what is left once more. The log is closed by whoever opened it. */
  close(): Promise<void>;
}

/** What lets somebody do something; all else has happened already, and is recorded in any case. */
const GIVING: ReadonlySet<string> = new Set(['decision', 'discovery']);

/**
 * Starts the exports. One that cannot go on is stopped, and its status says why; where it is
 * required, this rejects with the reason.
 */
export async function openExports(parts: ExportsParts): Promise<Exports> {
  const { evidence } = parts;
  const exporters: Exporter[] = [];
  const statuses: (() => ExportStatus)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(exporters.map((exporter) => exporter.close()));
  };
  for (const plan of parts.planned) {
    try {
      const exporter = await openExporter(plan, parts);
      exporters.push(exporter);
      statuses.push(() => exporter.status());
    } catch (error) {
      if (plan.settings.required || !(error instanceof PortcullisError)) {
        await close();
        throw error;
      }
      parts.log.error('an export of the evidence has stopped', {
        export: plan.settings.name,
        error,
      });
      statuses.push(() => statusOfStopped(plan.settings, error, evidence));
    }
  }
  return { evidence: exportedLog(evidence, exporters, statuses, parts.log), close };
}

async function openExporter(
  { settings, open }: PlannedExport,
  { evidence, directory, origin, cursors, files, wait, chance, log }: ExportsParts,
): Promise<Exporter> {
  const source: RecordSource = {
    origin,
    size: () => evidence.status().size,
    read: (from, to) => readRecords(files, directory, from, to),
  };
  const cursor = await openCursor(files, cursors, settings.name, source);
  const driver = await open().catch((cause: unknown) => {
    throw cause instanceof PortcullisError ? cause : unopened(settings.name, cause);
  });
  const exporter = new Exporter({ driver, cursor, source, settings, wait, chance, log });
  exporter.start();
  return exporter;
}

function unopened(name: string, cause: unknown): PortcullisError {
  const message = `the export \`${name}\` cannot be opened: ${systemReason(cause)}`;
  return new PortcullisError('EXPORT_UNUSABLE', message, { cause });
}

/** How far it had come is not known, or not to be trusted: as if it had sent nothing. */
function statusOfStopped(
  { name, type, required }: ExportSettings,
  { message }: PortcullisError,
  evidence: ProvableLog,
): ExportStatus {
  const lag_records = evidence.status().size;
  const base = { name, type, required, stopped: true, lag_records };
  return { ...base, gap_records: 0, gaps: [], problem: message };
}

function exportedLog(
  evidence: ProvableLog,
  exporters: readonly Exporter[],
  statuses: readonly (() => ExportStatus)[],
  log: Logger,
): ProvableLog {
  if (statuses.length === 0) return evidence;
  let isHeld = false;
  const holdUp = (): string | undefined => {
    const name = exporters.find(({ isTooFarBehind }) => isTooFarBehind)?.status().name;
    const problem = name && `the export \`${name}\` is required, and too far behind or stopped`;
    if (problem && !isHeld) log.error('nothing is decided until an export goes on', { problem });
    if (!problem && isHeld) log.info('the required exports go on');
    isHeld = problem !== undefined;
    return problem;
  };
  return {
    tree: evidence.tree,
    async append(entry: EvidenceEntry) {
      const problem = GIVING.has(entry.kind) ? holdUp() : undefined;
      if (problem !== undefined) throw new PortcullisError('EVIDENCE_UNWRITABLE', problem);
      const index = await evidence.append(entry);
      for (const exporter of exporters) exporter.wake();
      return index;
    },
    status(): EvidenceStatus {
      const status = evidence.status();
      const exports = statuses.map((statusOf) => statusOf());
      const problem = holdUp();
      if (!status.writable || problem === undefined) return { ...status, exports };
      return { ...status, writable: false, problem, exports };
    },
    async redact(redaction: Redaction) {
      const redacted = await evidence.redact(redaction);
      for (const exporter of exporters) exporter.wake();
      return redacted;
    },
    close: () => evidence.close(),
  };
}
