/** The figures as lines to read. */
import type { BenchResult } from './measure.ts';
import type { Row } from './rows/row.ts';

export function textOf({ rows, conditions }: BenchResult): string {
  const told = Object.entries(conditions).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  );
  return [...rows.map(lineOf), '', ...told].join('\n');
}

function lineOf(row: Row): string {
  const { value, goal, unit, flush_us } = row;
  const ratio = `${shown(row.ratio)} (${row.spread.map(shown).join(' to ')})`;
  const measured = value === undefined ? `${ratio} ${unit}` : `${shown(value)} ${unit}; ${ratio}`;
  const verdict = goal === null ? [] : [`goal ${goal}: ${row.met ? 'met' : 'missed'}`];
  const flush = flush_us === undefined ? [] : [`flush ${flush_us.map(shown).join(' to ')} us`];
  const line = `${titleOf(row)}: ${measured} of ${row.reference}`;
  return [line, ...verdict, ...flush].join('; ');
}

/** Name of a row with what tells it from its neighbours. */
export function titleOf({ name, policy, concurrency, packages, added_flush_ms }: Row): string {
  const marks = [
    policy,
    concurrency === undefined ? undefined : `c=${concurrency}`,
    packages === undefined ? undefined : `${packages} packages`,
    added_flush_ms === undefined ? undefined : `flush + ${added_flush_ms} ms`,
  ].filter((mark) => mark !== undefined);
  return `${name} [${marks.join(', ')}]`;
}

/** Three digits that say something. */
export function shown(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
