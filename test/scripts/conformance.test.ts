/** What `npm run conformance` judges by, which must be able to say no. */
import { describe, expect, test } from '@jest/globals';
import { DENIALS } from '../../scripts/conformance/denials.ts';
import { faultsOfDenial } from '../../scripts/conformance/deny.ts';
import { faultsOf, rowOf } from '../../scripts/conformance/rows.ts';
import { FIXTURES } from '../../scripts/conformance/fixtures.ts';
import { denialTableOf, notesOf, tableOf } from '../../scripts/conformance/report.ts';
import {
  REVISIONS,
  type Check,
  type Revision,
  type SuiteResult,
} from '../../scripts/conformance/suite.ts';
import { METHODS, ruleOf, type KnownMethod } from '../../src/pep/methods.ts';

const passed: Check = { id: 'a', status: 'SUCCESS', problem: undefined };
const failed: Check = { id: 'a', status: 'FAILURE', problem: 'it is not so' };
const warned: Check = { id: 'a', status: 'WARNING', problem: 'it should not be so' };

function found(scenarios: Record<string, Check[]>): SuiteResult {
  return { required: ['one', 'two'], scenarios: new Map(Object.entries(scenarios)) };
}

const all = found({ one: [passed], two: [passed, passed] });

function faults(unguarded: SuiteResult, guarded: SuiteResult, name = 'SDK 1.x'): string[] {
  const fixture = FIXTURES.find((each) => each.name === name)!;
  const ways = new Map([
    ['unguarded', unguarded],
    ['guarded', guarded],
  ] as const);
  return faultsOf(rowOf(fixture, '2025-11-25', ways));
}

describe('a row', () => {
  test('in which all is the same and passed has no fault', () => {
    expect(faults(all, all)).toEqual([]);
  });

  test.each<[string, SuiteResult, string]>([
    ['fails', found({ one: [failed], two: [passed, passed] }), 'one: a was SUCCESS and is FAILURE'],
    [
      'warns',
      found({ one: [passed], two: [passed, warned] }),
      'two: a (2) was SUCCESS and is WARNING',
    ],
    ['is gone', found({ one: [passed], two: [passed] }), 'two: a (2) was SUCCESS and is absent'],
    [
      'is new',
      found({ one: [passed, passed], two: [passed, passed] }),
      'one: a (2) was absent and is SUCCESS',
    ],
    ['did not run', found({ one: [passed] }), 'two: a was SUCCESS and is absent'],
  ])('is at fault where behind the guard a check %s', (_what, guarded, fault) => {
    expect(faults(all, guarded)[0]).toContain(`guarded: ${fault}`);
  });

  test('is not at fault where a scenario changes that the fixture alone does not pass', () => {
    const alone = found({ one: [passed], two: [passed, passed], more: [failed] });
    expect(faults(alone, found({ one: [passed], two: [passed, passed], more: [passed] }))).toEqual(
      [],
    );
  });

  test('may differ as the table says, and must', () => {
    const [scenario, check] = 'server-sse-polling: server-sse-retry-field'.split(': ');
    const alone = found({ [scenario!]: [{ ...warned, id: check! }] });
    const ways = new Map([
      ['unguarded', { ...alone, required: [] }],
      ['wrapped', found({})],
    ] as const);
    const row = rowOf(FIXTURES[0]!, '2025-11-25', ways);
    expect(faultsOf(row)).toEqual([
      expect.stringContaining('server-sse-streams-functional is as without a guard'),
      expect.stringContaining('server-sse-priming-event is as without a guard'),
    ]);
    expect(notesOf(row)).toHaveLength(3);
  });

  test('is at fault where the fixture alone does not pass what is required', () => {
    const less = found({ one: [passed] });
    expect(faults(less, less)).toEqual(['1 of 2 are passed without a guard']);
  });
});

test('a denial is at fault where other scenarios fail than predicted', () => {
  const row = { fixture: 'SDK 1.x', revision: '2025-11-25', method: 'prompts/get' } as const;
  const failing = { ...row, failed: ['one'], unpredicted: [], unfailed: [] };
  expect(faultsOfDenial(failing)).toEqual([]);
  const otherwise = { ...failing, unpredicted: ['one'], unfailed: ['two'] };
  expect(faultsOfDenial(otherwise)).toEqual([
    'one fails and was not predicted to',
    'two was predicted to fail and does not',
  ]);
  expect(denialTableOf([failing, otherwise])).toMatch(/1 +as predicted\n.* 1 +otherwise$/);
});

test('the table shows the ways side by side', () => {
  const fixture = FIXTURES[0]!;
  const ways = new Map([['unguarded', all] as const]);
  const rows = REVISIONS.map((revision) => rowOf(fixture, revision, ways));
  expect(tableOf(rows).split('\n')).toEqual([
    expect.stringMatching(/^ +unguarded +guarded +wrapped$/),
    expect.stringMatching(/^SDK 1.x {2}2025-11-25 +2\/2, checks 3\/3 +- +-$/),
    expect.stringMatching(/^SDK 1.x {2}2026-07-28 \(not spoken\) +2\/2/),
  ]);
});

test('each request on which policy decides has a denial in each revision that has it', () => {
  const decided = (Object.keys(METHODS) as KnownMethod[]).filter((method) => {
    const { kind, enforced, handling } = ruleOf(method)!;
    return kind === 'request' && enforced && (handling === 'filter' || handling === 'decide');
  });
  const revisionsOf = (method: KnownMethod): Revision[] => {
    const { revisions, embedded } = ruleOf(method)!;
    return REVISIONS.filter((each) => revisions.includes(each) || (embedded && each > '2026'));
  };
  const missing = decided.flatMap((method) =>
    revisionsOf(method)
      .filter((revision) => DENIALS[method]?.[revision] === undefined)
      .map((revision) => `${method} in ${revision}`),
  );
  expect(missing).toEqual([]);
  expect(decided.length).toBeGreaterThan(10);
});
