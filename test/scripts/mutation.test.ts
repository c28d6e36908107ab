/** What docs/mutation.md tells stays true of the code, as far as that is seen without a run. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { AREA_NAMES } from '../../scripts/mutation/areas.ts';
import { readMeasured, scoreOf, SCORE_MIN, sum } from '../../scripts/mutation/report.ts';

const sourceOf = (file: string): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe.each(AREA_NAMES)('%s', (area) => {
  const { files, survivors } = readMeasured(area);

  test('the score that was measured reaches the goal', () => {
    expect(scoreOf(sum(Object.values(files)))).toBeGreaterThanOrEqual(SCORE_MIN);
  });

  test('each survivor has a reason', () => {
    expect(survivors.filter(({ reason }) => reason.trim() === '')).toEqual([]);
  });

  test('each survivor stands in the code', () => {
    const gone = survivors.filter(
      ({ file, line }) =>
        !sourceOf(file)
          .split('\n')
          .some((each) => each.trim() === line),
    );
    expect(gone).toEqual([]);
  });
});
