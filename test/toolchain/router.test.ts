import { expect, test } from '@jest/globals';
import { routerSource } from '../../src/toolchain/router.ts';
import type { Effect, RulePackage } from '../../src/toolchain/rule_package.ts';
import { tableNames, tablesSource } from '../../src/toolchain/tables.ts';

function rule(id: string, effect: Effect, changes: Partial<RulePackage> = {}): RulePackage {
  return {
    id,
    path: ['data', 'mcp', 'rules', ...id.split('/')],
    file: '',
    modules: [],
    rules: [],
    effect,
    has_within: false,
    title: undefined,
    custom: {},
    capabilities: ['*'],
    ...changes,
  };
}

/** The blocks of a router without its frame: what depends on the rules. */
function blocks(...rules: RulePackage[]): string[] {
  const text = routerSource(rules);
  const all = text.trimEnd().split('\n\n').slice(1);
  return all
    .filter((block) => !block.includes('["-"]'))
    .map((block) => block.replaceAll(/\s+/gu, ' '));
}

const PATH = 'data.mcp.rules.a.x';

test('allow is listed where it applies, and allowed within', () => {
  expect(blocks(rule('a/x', 'allow', { has_within: true, capabilities: ['tool:s/t'] }))).toEqual([
    `listed["tool:s/t"] contains "a/x" if { ${PATH}.applies == true }`,
    `allowed["tool:s/t"] contains "a/x" if { ${PATH}.applies == true ${PATH}.within == true }`,
  ]);
});

test('allow without a region is allowed where it applies', () => {
  expect(blocks(rule('a/x', 'allow'))).toEqual([
    `listed["*"] contains "a/x" if { ${PATH}.applies == true }`,
    `allowed["*"] contains "a/x" if { ${PATH}.applies == true }`,
  ]);
});

test('deny', () => {
  expect(blocks(rule('a/x', 'deny'))).toEqual([
    `denied["*"] contains "a/x" if { ${PATH}.applies == true }`,
  ]);
});

test('limit holds outside its region', () => {
  expect(blocks(rule('a/x', 'limit', { has_within: true }))).toEqual([
    `limited["*"] contains "a/x" if { ${PATH}.applies == true not ${PATH}.within == true }`,
  ]);
});

test('require_approval asks outside its region, and approvers whatever it applies to', () => {
  const capabilities = ['tool:s/t'];
  expect(blocks(rule('a/x', 'require_approval', { capabilities }))).toEqual([
    `askable["tool:s/t"] contains "a/x" if { ${PATH}.applies == true }`,
    `asked["tool:s/t"] contains "a/x" if { ${PATH}.applies == true not ${PATH}.within == true }`,
    `eligible["*"] contains "a/x" if { ${PATH}.eligible == true }`,
  ]);
});

test('oblige demands a set with members', () => {
  expect(blocks(rule('a/x', 'oblige'))).toEqual([
    `obliged["*"] contains obligation if { ${PATH}.applies == true ` +
      `some obligation in ${PATH}.obligations }`,
    `unobliged["*"] contains "a/x" if { ${PATH}.applies == true not _stated["a/x"] }`,
    `_stated["a/x"] if { is_set(${PATH}.obligations) count(${PATH}.obligations) > 0 }`,
  ]);
});

test('a rule of several capabilities has a block for each', () => {
  expect(blocks(rule('a/x', 'deny', { capabilities: ['tool:s/t', 'tool:s/u'] }))).toHaveLength(2);
});

test('a step that is no name is quoted, and every kind exists', () => {
  const text = routerSource([rule('a/x-y', 'deny')]);
  expect(text).toContain('data.mcp.rules.a["x-y"].applies == true');
  expect(text.match(/\["-"\] contains "" if false/gu)).toHaveLength(9);
});

test('tables are the roots that are not the library’s', () => {
  expect(
    tableNames({ limits: {}, grants: [], registry: {}, mcp: {}, 'odd-name': {}, a1: {} }),
  ).toEqual(['a1', 'limits']);
  expect(tablesSource(['limits'])).toContain('entry("limits", key) := data.limits[key]');
});
