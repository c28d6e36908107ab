/** What a run of Stryker found, in the words of docs/mutation.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AreaName } from './areas.ts';

const TOP = join(import.meta.dirname, '../..');
export const SCORE_MIN = 85;

export interface Counts {
  killed: number;
  timeout: number;
  survived: number;
  no_coverage: number;
}

/** A change that no test notices, by the text it changes, so that it is found on another line. */
export interface Survivor {
  file: string;
  /** The line where the change begins. */
  line: string;
  from: string;
  to: string;
  /** Why that is accepted; empty as long as nobody said. */
  reason: string;
}

/** What is kept of an area: `scripts/mutation/<area>.json`. */
export interface Measured {
  /** The day of the run; empty before the first. */
  date: string;
  files: Record<string, Counts>;
  survivors: Survivor[];
}

interface Position {
  line: number;
  column: number;
}

interface Mutant {
  status: string;
  replacement: string;
  location: { start: Position; end: Position };
}

/** The members of Stryker's report that are read here (mutation-testing-report-schema 2). */
interface StrykerReport {
  files: Record<
    string,
    {
      source: string;
      mutants: Mutant[];
    }
  >;
}

const STATUSES: Readonly<Record<string, keyof Counts>> = {
  Killed: 'killed',
  Timeout: 'timeout',
  Survived: 'survived',
  NoCoverage: 'no_coverage',
};

const pathOf = (area: AreaName): string => join(TOP, `scripts/mutation/${area}.json`);

export function readMeasured(area: AreaName): Measured {
  return JSON.parse(readFileSync(pathOf(area), 'utf8')) as Measured;
}

export function writeMeasured(area: AreaName, measured: Measured): void {
  writeFileSync(pathOf(area), `${JSON.stringify(measured, undefined, 2)}\n`);
}

/**
 * Lets the next run judge anew what no test noticed: Stryker keeps such a verdict although a test
 * was added, where the change is one of what happens when the module is loaded.
 */
export function forgetSurvivors(area: AreaName): void {
  const path = join(TOP, `.cache/mutation/${area}.incremental.json`);
  if (!existsSync(path)) return;
  const report = JSON.parse(readFileSync(path, 'utf8')) as StrykerReport;
  for (const file of Object.values(report.files)) {
    file.mutants = file.mutants.filter(({ status }) => isNoticed(status));
  }
  writeFileSync(path, JSON.stringify(report));
}

function isNoticed(status: string): boolean {
  return status === 'Killed' || status === 'Timeout';
}

/** What the last run over an area found. */
export function readRun(area: AreaName, date: string, known: readonly Survivor[]): Measured {
  const path = join(TOP, `.cache/mutation/${area}.json`);
  return measure(JSON.parse(readFileSync(path, 'utf8')) as StrykerReport, date, known);
}

/** What a report tells; reasons stay with the survivors that have one. */
export function measure(report: StrykerReport, date: string, known: readonly Survivor[]): Measured {
  const reasons = new Map(known.map((survivor) => [keyOf(survivor), survivor.reason]));
  const measured: Measured = { date, files: {}, survivors: [] };
  const listed = new Set<string>();
  for (const file of Object.keys(report.files).toSorted()) {
    const { source = '', mutants = [] } = report.files[file] ?? {};
    const counts: Counts = { killed: 0, timeout: 0, survived: 0, no_coverage: 0 };
    for (const { status, replacement, location } of mutants) {
      const name = STATUSES[status];
      if (name === undefined) continue;
      counts[name] += 1;
      if (isNoticed(status)) continue;
      const at = { file, ...textsOf(source, location), to: shorten(replacement) };
      const survivor = { ...at, reason: reasons.get(keyOf(at)) ?? '' };
      if (!listed.has(keyOf(at))) measured.survivors.push(survivor);
      listed.add(keyOf(at));
    }
    measured.files[file] = counts;
  }
  return measured;
}

export function keyOf({ file, line, from, to }: Omit<Survivor, 'reason'>): string {
  return [file, line, from, to].join('\n');
}

/** The line where a change begins, and what it changes. */
function textsOf(source: string, { start, end }: { start: Position; end: Position }) {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const line = (lines[0] ?? '').trim();
  lines.push((lines.pop() ?? '').slice(0, end.column - 1));
  lines[0] = (lines[0] ?? '').slice(start.column - 1);
  return { line, from: shorten(lines.join('\n')) };
}

function shorten(text: string): string {
  const flat = text.replaceAll(/\s+/gu, ' ');
  return flat.length <= 80 ? flat : `${flat.slice(0, 79)}…`;
}

export function sum(counts: readonly Counts[]): Counts {
  const total: Counts = { killed: 0, timeout: 0, survived: 0, no_coverage: 0 };
  for (const each of counts) {
    for (const name of Object.values(STATUSES)) total[name] += each[name];
  }
  return total;
}

/** Of 100 changes, those that a test noticed; of none, nothing can be said. */
export function scoreOf({ killed, timeout, survived, no_coverage }: Counts): number {
  const noticed = killed + timeout;
  return (noticed / (noticed + survived + no_coverage)) * 100;
}

export function rowOf(name: string, counts: Counts): string[] {
  const { killed, timeout, survived, no_coverage } = counts;
  const score = scoreOf(counts);
  const shown = Number.isNaN(score) ? '–' : score.toFixed(1);
  return [name, shown, ...[killed, timeout, survived, no_coverage].map(String)];
}
