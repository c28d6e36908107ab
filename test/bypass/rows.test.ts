/**
 * The ways in which other guards were bypassed, and where each is tried here. A file of this folder
 * without a row tries a way of our own finding. Each attack is known to be one, because it succeeds
 * against a guard that is made in the way of others.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROWS: Readonly<Record<number, string>> = {
  1: 'batch_hides_a_call',
  2: 'mislabelled_body_skips_policy',
  3: 'result_rides_on_another_frame',
  4: 'meta_tool_reaches_a_hidden_tool',
  5: 'resources_escape_a_tool_policy',
  6: 'erring_deny_rule_is_skipped',
  7: 'absent_field_opens_a_rule',
  8: 'empty_policy_allows',
  9: 'dead_engine_allows',
  10: 'engine_is_never_consulted',
  11: 'caller_names_itself',
  12: 'headers_disagree_with_the_body',
  13: 'names_collide',
  14: 'definition_changes_after_review',
  15: 'approval_is_reused',
  16: 'effect_runs_again_after_restart',
  17: 'cache_serves_another_principal',
  18: 'session_is_shared_across_users',
  19: 'file_writer_disables_the_policy',
  20: 'loopback_reaches_the_control_api',
  21: 'stream_leaks_beside_the_answer',
  22: 'denial_leaves_no_trace',
};

/** What is to be tried once more, on what is not there yet. */
const AGAIN: Readonly<Record<number, { way: string; absent: string }>> = {
  20: { way: 'a sandbox of the hub reaches the loopback of its host', absent: 'src/hub' },
};

const COUNT = 22;
const TOP = join(import.meta.dirname, '../..');

function textOf(name: string): string {
  return readFileSync(join(import.meta.dirname, `${name}.test.ts`), 'utf8');
}

describe('the rows', () => {
  test.each(Object.entries(ROWS))('%i is tried by %s', (row, name) => {
    expect(textOf(name)).toMatch(new RegExp(`^/\\*\\*[\\s*]+Row ${row}: `));
  });

  test.each(Object.entries(AGAIN))('%i is to be tried again: %j', (_row, { absent }) => {
    expect(existsSync(join(TOP, absent))).toBe(false);
  });

  test(`[X-09] are ${COUNT}, each tried`, () => {
    expect(Object.keys(ROWS).map(Number)).toEqual(Array.from({ length: COUNT }, (_, at) => at + 1));
  });
});

test('a file without a row says nothing of one', () => {
  const names = readdirSync(import.meta.dirname).flatMap(
    (name) => /^(.*)\.test\.ts$/.exec(name)?.[1] ?? [],
  );
  const others = names.filter((name) => name !== 'rows' && !Object.values(ROWS).includes(name));
  expect(others.length).toBeGreaterThan(0);
  expect(others.filter((name) => /Row \d/.test(textOf(name)))).toEqual([]);
});
