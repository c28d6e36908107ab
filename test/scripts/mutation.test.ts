/** What docs/mutation.md tells stays true of the code, as far as that is seen without a run. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { AREA_NAMES } from '../../scripts/mutation/areas.ts';
import { measure, readMeasured, scoreOf, SCORE_MIN, sum } from '../../scripts/mutation/report.ts';

const sourceOf = (file: string): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** Not measured in their present form, as the page says. */
const UNMEASURED: readonly string[] = ['index', 'outcomes', 'streams', 'tasks'];

test('every other area was measured', () => {
  const unmeasured = AREA_NAMES.filter((area) => readMeasured(area).date === '');
  expect(unmeasured).toEqual(UNMEASURED);
});

describe.each(AREA_NAMES.filter((area) => !UNMEASURED.includes(area)))('%s', (area) => {
  const { files, survivors } = readMeasured(area);

  test('the score that was measured reaches the goal', () => {
    expect(scoreOf(sum(Object.values(files)))).toBeGreaterThanOrEqual(SCORE_MIN);
  });

  test('each survivor has a reason', () => {
    expect(survivors.filter(({ reason }) => reason.trim() === '')).toEqual([]);
  });

  test('each survivor stands', () => {
    const gone = survivors.filter(
      ({ file, line }) =>
        !sourceOf(file)
          .split('\n')
          .some((each) => each.trim() === line),
    );
    expect(gone).toEqual([]);
  });
});

test('a report is told by the text of what survives, whatever its line', () => {
  const at = (line: number, column: number, end_line: number, end_column: number) => ({
    start: { line, column },
    end: { line: end_line, column: end_column },
  });
  const source = 'const a = 1;\n  if (a > 0) {\n    go();\n  }\n';
  const mutants = [
    { status: 'Killed', replacement: 'true', location: at(2, 7, 2, 12) },
    { status: 'Timeout', replacement: 'false', location: at(2, 7, 2, 12) },
    { status: 'Survived', replacement: 'a >= 0', location: at(2, 7, 2, 12) },
    { status: 'NoCoverage', replacement: '{}', location: at(2, 14, 4, 4) },
    { status: 'CompileError', replacement: '', location: at(1, 1, 1, 2) },
  ];
  const file = 'src/a.ts';
  const known = { file, line: 'if (a > 0) {', from: 'a > 0', to: 'a >= 0', reason: 'never 0' };
  const told = measure({ files: { [file]: { source, mutants } } }, '2027-01-01', [known]);
  expect(told).toEqual({
    date: '2027-01-01',
    files: { [file]: { killed: 1, timeout: 1, survived: 1, no_coverage: 1 } },
    survivors: [known, { ...known, from: '{ go(); }', to: '{}', reason: '' }],
  });
  expect(scoreOf(sum(Object.values(told.files)))).toBe(50);
});
