/** Writes docs/performance.md from the figures, with what each of them compares. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import type { BenchResult } from './measure.ts';
import { shown, titleOf } from './report.ts';
import type { Row } from './rows/row.ts';

const PAGE = join(import.meta.dirname, '../../docs/performance.md');

/** What is compared, by name of the row; a name without one is refused. */
const SAYS: Readonly<Record<string, string>> = {
  http_decision_throughput:
    'A decision over HTTP on loopback TCP, with a token, on as many connections as the row says. ' +
    'Portcullis answers when the record is flushed to the disk; OPA writes its decision log to a ' +
    'file and does not flush it, so a power loss takes the last decisions along. OPA asks for ' +
    'no token here. Both run the same Rego over the same data, and OPA in the fastest of the ' +
    'ways that were tried in the same run.',
  http_decision_p99:
    'The same runs: the time in which 99 of 100 answers came, as the caller saw it. One ' +
    'connection alone waits for a flush of its own each time, which OPA never does.',
  http_decision_slow_disk:
    'The same over a disk whose flush takes so many milliseconds longer, by a timer that may be ' +
    'late by one more. Who waits is flushed together; OPA waits for no flush. The goal is set ' +
    'for the disk as it is.',
  embedded_decision_cpu:
    'The CPU time of all threads for one decision in the process that asks, with its record ' +
    'flushed together with those of the other callers, against `evaluate` of the npm package ' +
    'alone, which validates nothing and keeps no record.',
  one_decision_p99:
    'One decision after the other: request validated, rules evaluated, result judged, record ' +
    'made, but not written. The ratio is to a policy of four rule packages; all but a few of the ' +
    'packages speak of other tools.',
  guarded_call_added_p99:
    'Client, MCP server and decision service are three processes; the guard asks over a Unix ' +
    'socket and the record is flushed before the tool runs. Calls are due at a fixed rate of 200 ' +
    'a second whatever the answers do, and count from when they were due. The figure is the ' +
    'quantile of the guarded calls less that of the same server without its guard.',
  guarded_call_added_p99_9: 'The same calls, over all rounds together.',
  guarded_call_embedded_p50:
    'Client and MCP server are two processes; the guard decides in that of the server, and the ' +
    'record is flushed before the tool runs. Half of the calls were faster.',
  cold_start_to_ready:
    'From the start of the process to its first answer that it is ready, with a policy of ten ' +
    'rule packages and 10,000 grants.',
  resident_memory: 'What the process of the decision service holds then.',
};

/** What the figures of a row are called, by their names there. */
const FIGURES: Readonly<Record<string, string>> = {
  per_second: '/s',
  p50_ms: 'ms p50',
  p99_ms: 'ms p99',
  p99_9_ms: 'ms p99.9',
  p50_us: 'µs p50',
  p99_us: 'µs p99',
  p99_lowest_us: 'µs p99 in the quietest round',
  cpu_us: 'µs CPU',
  ready_s: 's',
  started_mib: 'MiB started',
  after_load_mib: 'MiB after the calls',
};

export async function writePage(result: BenchResult): Promise<void> {
  writeFileSync(PAGE, await pageOf(result));
}

/** The page, formatted as the gate wants it. */
export async function pageOf({ rows, conditions }: BenchResult): Promise<string> {
  const names = [...new Set(rows.map(({ name }) => name))];
  const told = Object.entries(conditions).map(([name, value]) => [`\`${name}\``, cellOf(value)]);
  const sections = names.map((name) => sectionOf(name, rows));
  const page = [
    INTRODUCTION,
    ...crowdedNote(conditions),
    ...sections,
    `## Conditions\n\n${table(['', ''], told)}`,
  ];
  return format(page.join('\n\n'), { parser: 'markdown', printWidth: 100 });
}

const INTRODUCTION = `# Performance

\`npm run bench -- --write\` measures this and writes this page. The machine is not a quiet one, so
a ratio counts and an absolute figure only tells where it was: what is compared runs in turns (A, B,
A, B, …), each round gives a ratio, and the page states the median with the lowest and the highest.
The load generator is a process of its own, and a wrong answer ends the bench.

The reference policy has 200 roles with 50 grants each in data, and ten rule packages where no other
number is given; every tenth question is denied. It exists twice: \`library\` is written with the
policy library, as users of Portcullis write, and \`plain\` is Rego of its own contract, as users of
OPA write.`;

/** A flush takes several turns of a processor, so a crowd costs a durable answer most. */
function crowdedNote({ load, cpus }: BenchResult['conditions']): string[] {
  if (Math.max(...load) <= cpus) return [];
  const crowd = load.map(shown).join(' to ');
  return [
    `**Measured on a crowded machine**: ${crowd} processes wanted to run on ${cpus} processors. ` +
      'An answer that waits for a flush then waits for its turn several times, and OPA, which ' +
      'does not flush, does not. Quantiles tell the crowd, not the program; CPU times still ' +
      'compare. Measure again on a quiet machine before a conclusion.',
  ];
}

function sectionOf(name: string, rows: readonly Row[]): string {
  const says = SAYS[name];
  if (says === undefined) throw new Error(`the page does not say what \`${name}\` compares`);
  const own = rows.filter((row) => row.name === name);
  const heads = [
    'Figure',
    'Ratio (spread)',
    'Goal',
    'Portcullis',
    'Reference',
    'Flush of the disk',
  ];
  const lines = own.map((row) => [
    row.value === undefined ? marksOf(row) : `${shown(row.value)} ${row.unit}, ${marksOf(row)}`,
    `${shown(row.ratio)} (${row.spread.map(shown).join(' to ')})`,
    goalOf(row),
    figuresOf(row.ours),
    figuresOf(row.theirs),
    row.flush_us === undefined ? '' : `${row.flush_us.map(shown).join(' to ')} µs`,
  ]);
  const references = [...new Set(own.map(({ reference }) => reference))];
  return [
    `## ${name.replaceAll('_', ' ')}`,
    says,
    `Reference: ${references.join('; ')}.`,
    table(heads, lines),
  ].join('\n\n');
}

function marksOf(row: Row): string {
  return /\[(.*)\]/u.exec(titleOf(row))?.[1] ?? '';
}

function goalOf({ goal, met, value, unit }: Row): string {
  if (goal === null) return 'none';
  const of = value === undefined ? '' : ` ${unit}`;
  return `${goal.replace('>=', '≥').replace('<=', '≤')}${of}: ${met ? 'met' : '**missed**'}`;
}

function figuresOf(figures: Row['ours']): string {
  return Object.entries(figures)
    .map(([name, value]) => `${shown(value)} ${FIGURES[name] ?? name}`)
    .join(', ');
}

function cellOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => cellOf(each)).join(' to ');
  return typeof value === 'number' ? shown(value) : `${String(value)}`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
