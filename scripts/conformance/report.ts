/** The figures as tables to read. */
import type { Score } from './compare.ts';
import type { DenialRow } from './deny.ts';
import { WAYS, type Way } from './fixtures.ts';
import { RIGHTLY } from './rightly.ts';
import type { Row } from './rows.ts';

export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ fixture, revision, is_goal, scores }) => [
    fixture,
    is_goal ? revision : `${revision} (not spoken)`,
    ...WAYS.map((way) => cellOf(scores[way])),
  ]);
  return aligned([['', '', ...WAYS], ...lines]);
}

/** A line for each difference that there may be. */
export function notesOf({ fixture, revision, is_goal, differences }: Row): string[] {
  const ways = Object.keys(is_goal ? differences : {}) as Way[];
  return ways.flatMap((way) =>
    Object.entries(RIGHTLY[way]?.[revision] ?? {}).map(
      ([check, why]) => `note ${fixture}, ${revision}: ${way}: ${check}: ${why}`,
    ),
  );
}

export function denialTableOf(rows: readonly DenialRow[]): string {
  const lines = rows.map(({ fixture, revision, method, failed, unpredicted, unfailed }) => [
    fixture,
    revision,
    method,
    `${failed.length}`,
    unpredicted.length + unfailed.length === 0 ? 'as predicted' : 'otherwise',
  ]);
  return aligned([['', '', 'denied', 'fail', ''], ...lines]);
}

function cellOf(score: Score | undefined): string {
  if (score === undefined) return '-';
  const { passed, required, checks_passed, checks_failed } = score;
  return `${passed}/${required}, checks ${checks_passed}/${checks_passed + checks_failed}`;
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) =>
    Math.max(...lines.map((line) => line[i]?.length ?? 0)),
  );
  return lines
    .map((line) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}
