/** What the tests of the evidence log share. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { nodeFiles } from '../../src/evidence/files.ts';
import type { EvidenceSettings } from '../../src/evidence/group_commit_log.ts';
import { type EvidenceLogOptions, openEvidenceLog } from '../../src/evidence/log.ts';
import { type ReadOptions, readEvidence } from '../../src/evidence/read.ts';
import { formatSigner, parseSigner, type NoteSigner } from '../../src/evidence/tree/note.ts';
import type { EvidenceEntry, ProvableLog } from '../../src/evidence/types.ts';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';

export const SETTINGS: EvidenceSettings = {
  linger_us_max: 200,
  segment_bytes_max: 64 * 1024,
  queue_records_max: 1000,
  record_bytes_max: 16 * 1024,
  checkpoint_interval_ms: 3_600_000,
  prove_all_records: false,
  disclosures_kept_days: null,
};

export const ORIGIN = 'evidence.example/tests';

/** A key that is the same in each run; another one for another seed. */
export function signerOf(seed: number, origin = ORIGIN): NoteSigner {
  return parseSigner(formatSigner(origin, Buffer.alloc(32, seed)))!;
}

export const ENTRY: EvidenceEntry = { kind: 'start', detail: 'the engine was replaced by ours' };

/** Opens a log of this machine's disk; settings and the rest may be given otherwise. */
export function openLog(
  directory: string,
  changes: Partial<Omit<EvidenceLogOptions, 'settings' | 'signers'>> & {
    settings?: Partial<EvidenceSettings>;
    signers?: readonly NoteSigner[];
  } = {},
): Promise<ProvableLog> {
  return openEvidenceLog({
    directory,
    instance: 'one',
    origin: ORIGIN,
    clock: { now_ms: () => Date.UTC(2027, 0, 1) },
    randomness: randomBytes,
    files: nodeFiles,
    log: recordingLogger([]),
    ...changes,
    settings: { ...SETTINGS, ...changes.settings },
    signers: () => changes.signers ?? [signerOf(1)],
  });
}

/** All records of a directory. */
export async function readAll(directory: string, options?: ReadOptions): Promise<EvidenceRecord[]> {
  const records: EvidenceRecord[] = [];
  for await (const record of readEvidence(directory, options)) records.push(record);
  return records;
}

/** The leaves as they stand in the lines of a directory, which is all that the tree is made of. */
export function readRecordTexts(directory: string): string[] {
  return linesOf(directory).map((line) => line.slice(65).split('\t')[0]!);
}

/** The disclosures that stand behind each of them. */
export function readDisclosed(directory: string): string[][] {
  return linesOf(directory).map((line) => line.split('\t').slice(1));
}

function linesOf(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
  return names
    .sort()
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1));
}

export interface LoggedLine {
  level: string;
  message: string;
  fields: LogFields | undefined;
}

/** A logger that keeps its lines. */
export function recordingLogger(lines: LoggedLine[]): Logger {
  const at = (level: string) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => recordingLogger(lines),
  };
}

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A new directory that is removed after the tests of the file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-evidence-'));
  made.push(directory);
  return directory;
}
