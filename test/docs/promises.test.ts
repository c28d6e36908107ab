/**
 * Each promise of the threat model names the tests that break without its defence. The names stand
 * in promises.json; here nothing but that they are there.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import promises from './promises.json' with { type: 'json' };

const TOP = new URL('../../', import.meta.url);

function textOf(path: string): string {
  return readFileSync(new URL(path, TOP), 'utf8');
}

/** The list items of one section, each on a line of its own. */
function itemsOf(section: string): string[] {
  const [, after = ''] = textOf('docs/threat_model.md').split(`## ${section}\n`);
  const [body = ''] = after.split('\n## ');
  const items = body.split('\n- ').slice(1);
  return items.map((item) => (item.split('\n\n')[0] ?? '').replaceAll(/\s+/gu, ' '));
}

test('every promise of the threat model has its tests, and no other does', () => {
  const items = itemsOf('What is promised');
  const found = items.map((item) => promises.filter(({ promise }) => item.startsWith(promise)));
  expect(items.filter((_, i) => found[i]?.length !== 1)).toEqual([]);
  expect(promises.filter((each) => !found.flat().includes(each))).toEqual([]);
  expect(items.length).toBeGreaterThan(15);
});

test.each(promises)('$promise: its tests are there', ({ tests }) => {
  const absent = Object.entries(tests).filter(([file, title]) => !textOf(file).includes(title));
  expect(absent).toEqual([]);
  expect(Object.keys(tests).length).toBeGreaterThan(0);
});
