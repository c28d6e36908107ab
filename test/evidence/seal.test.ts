/** Seals: what never stands in a leaf, and how large a leaf can be. */
import { describe, expect, test } from '@jest/globals';
import schema from '../../src/contract/schemas/evidence_record.schema.json' with { type: 'json' };
import { SEALS, SEAL_GROUPS, openSeals, saltsFrom, sealRecord } from '../../src/evidence/seal.ts';
import type { EvidenceEntry } from '../../src/evidence/types.ts';
import {
  ENTRY,
  openLog,
  readAll,
  readDisclosed,
  readRecordTexts,
  temporaryDirectory,
} from '../support/evidence_log.ts';

test('the groups and their members are these, and no member is of two', () => {
  expect(SEALS).toEqual({
    arguments: ['arguments'],
    internals: ['caller_tenants', 'detail', 'erased', 'masked', 'rules', 'subject_tenant'],
    items: ['grounds', 'shown', 'withheld'],
    request: ['approver', 'request'],
  });
  expect(SEAL_GROUPS).toEqual(SEAL_GROUPS.toSorted());
  const members = Object.values(SEALS).flat();
  expect(new Set(members).size).toBe(members.length);
});

test('what the schema leaves in a leaf fits an entry, however long its texts are', () => {
  const sealed = new Set<string>(Object.values(SEALS).flat());
  const sizes = Object.entries(schema.properties)
    .filter(([name]) => !sealed.has(name))
    .map(([name, rule]) => name.length + 4 + bytesMax(rule as Rule));
  const total = sizes.reduce((sum, size) => sum + size, 2);
  expect(total).toBeGreaterThan(30_000);
  expect(total).toBeLessThanOrEqual(65_535);
});

interface Rule {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  maxLength?: number;
  maxItems?: number;
  items?: Rule;
  properties?: Record<string, Rule>;
}

/** Bytes of the longest canonical text of what fits a rule. A control character takes six. */
function bytesMax(rule: Rule): number {
  if (rule.$ref) {
    const name = rule.$ref.replace('#/$defs/', '') as keyof typeof schema.$defs;
    return bytesMax(schema.$defs[name]);
  }
  if (rule.const !== undefined || rule.enum) {
    const values = rule.enum ?? [rule.const];
    return Math.max(...values.map((value) => JSON.stringify(value).length));
  }
  if (rule.type === 'object') {
    const members = Object.entries(rule.properties ?? {});
    return members.reduce((sum, [name, each]) => sum + name.length + 4 + bytesMax(each), 2);
  }
  if (rule.type === 'array') return 2 + rule.maxItems! * (1 + bytesMax(rule.items!));
  if (rule.type === 'boolean') return 5;
  if (rule.type === 'integer') return 17;
  // These patterns take ASCII only, and 71 characters at most.
  if (rule.pattern) return 2 + (rule.maxLength ?? 71);
  return 2 + 6 * rule.maxLength!;
}

test('a list of 3,000 tools for a subject of 20,000 groups is kept and shown', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, {
    settings: { record_bytes_max: 16 * 1024 * 1024, segment_bytes_max: 64 * 1024 * 1024 },
  });
  const groups = Array.from({ length: 20_000 }, (_, at) => `a group of the directory ${at}`);
  const items = Array.from({ length: 3_000 }, (_, at) => ({ type: 'tool', id: `tool_${at}` }));
  const entry: EvidenceEntry = {
    kind: 'discovery',
    request: { subject: { id: 'user:alice@example.com', groups }, action: 'tools/list' },
    shown: items.slice(0, 1_000),
    withheld: items.slice(1_000),
  };
  await log.append(entry);
  const [text = ''] = readRecordTexts(directory);
  expect(text.length).toBeLessThan(500);
  const bundle = await log.tree.entries(0, 1);
  expect(bundle).toMatchObject({ bytes: { length: text.length + 2 } });
  const [record] = await readAll(directory);
  expect(record).toMatchObject(entry);
  expect((await log.tree.receiptOf(0))!.length).toBeGreaterThan(500_000);
  expect((await log.tree.receiptOf(0, true))!.length).toBeLessThan(2_000);
  await log.close();
});

describe('salts', () => {
  test('are 132 bits each, from a pool that is asked for when it is used up', () => {
    const asked: number[] = [];
    const salt = saltsFrom((count) => {
      asked.push(count);
      return Buffer.alloc(count, asked.length);
    });
    const salts = Array.from({ length: 257 }, salt);
    expect(asked).toEqual([4224, 4224]);
    expect(salts.every((each) => /^[\w-]{22}$/.test(each))).toBe(true);
    expect(salts[256]).not.toBe(salts[0]);
  });

  test('differ between records and groups, so that equal values have different seals', async () => {
    const directory = temporaryDirectory();
    const log = await openLog(directory);
    const entry = { ...ENTRY, request: { subject: { id: 'user:a' }, action: 'x' } };
    for (let at = 0; at < 300; at += 1) await log.append(entry);
    await log.close();
    const disclosed = readDisclosed(directory).flat();
    const salts = disclosed.map((text) => (JSON.parse(text) as string[])[1]);
    expect(new Set(salts).size).toBe(600);
    const seals = readRecordTexts(directory).flatMap((text) =>
      Object.values((JSON.parse(text) as { seals: object }).seals),
    );
    expect(new Set(seals).size).toBe(600);
  });
});

describe('a record that was sealed', () => {
  const salt = (): string => 'x'.repeat(22);
  const record = { v: 1, kind: 'decision', detail: 'a', rules: ['b'], shown: [], seals: undefined };
  const { text, disclosed } = sealRecord(record, salt);
  const leaf = JSON.parse(text) as Parameters<typeof openSeals>[0];

  test('is put together again, as far as it is disclosed', () => {
    const [internals = '', items = ''] = disclosed;
    const { seals } = leaf;
    const known = { v: 1, kind: 'decision', seals };
    expect(openSeals(leaf, disclosed)).toEqual({ ...known, detail: 'a', rules: ['b'], shown: [] });
    expect(openSeals(leaf, [items])).toEqual({ ...known, shown: [] });
    expect(openSeals(leaf, [internals])).toEqual({ ...known, detail: 'a', rules: ['b'] });
    expect(openSeals(leaf, [])).toEqual(known);
  });

  test.each([
    ['twice', [disclosed[0]!, disclosed[0]!]],
    ['in another order', disclosed.toReversed()],
    ['changed', [disclosed[0]!.replace('"b"', '"c"')]],
    ['of no group', ['["others","x",{}]']],
    ['empty', ['']],
    ['of a group without a seal', ['["request","x",{}]']],
  ])('is not with a disclosure that is %s', (_what, disclosures) => {
    expect(openSeals(leaf, disclosures)).toBeUndefined();
  });

  test('is not with a disclosure where its leaf has no seals', () => {
    const { seals: _sealed, ...bare } = leaf;
    expect(openSeals(bare, disclosed)).toBeUndefined();
    expect(openSeals(bare, [])).toEqual(bare);
  });

  test('shows what stands in its leaf, whatever was sealed under that name', () => {
    const two = { ...leaf, detail: 'in the leaf' };
    expect(openSeals(two, disclosed)).toMatchObject({ detail: 'in the leaf' });
  });

  test('without anything to seal has no seals', () => {
    expect(sealRecord({ v: 1, kind: 'stop', detail: undefined }, salt)).toEqual({
      text: '{"kind":"stop","v":1}',
      disclosed: [],
    });
  });
});
