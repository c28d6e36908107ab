import { describe, expect, test } from '@jest/globals';
import { keyedDigestOf } from '../../../src/contract/digest.ts';
import type { Obligation } from '../../../src/contract/types.gen.ts';
import { applyToResult } from '../../../src/pep/obligations/apply.ts';
import { OBLIGATIONS_SUPPORTED, withholdsStream } from '../../../src/pep/obligations/plan.ts';
import { KEY, keep, mask, structured } from './values.ts';

const CUSTOMER = {
  id: 'c-1',
  name: 'Ada Marlow',
  contact: { email: 'ada@example.com', phone: '+44 20 7946 0000' },
  accounts: [
    { iban: 'GB33BUKB20201555555555', currency: 'EUR' },
    { iban: 'GB94BARC10201530093459', currency: 'USD' },
  ],
};

/** What the obligations make of a structured value, in both of its places. */
function shaped(value: object, obligations: Obligation[]) {
  const applied = applyToResult(structured(value), obligations, KEY);
  if (!applied.ok) return applied;
  const { content, structuredContent } = applied.result as ReturnType<typeof structured>;
  expect(content.map(({ text }) => JSON.parse(text))).toEqual([structuredContent]);
  return { value: structuredContent, masked: applied.masked };
}

test('the supported obligations are these', () => {
  expect(OBLIGATIONS_SUPPORTED).toEqual(['keep_fields', 'mask_fields', 'step_up']);
});

describe('without a masking obligation', () => {
  test('a result passes as it is, with everything that it carries', () => {
    const result = { ...structured(CUSTOMER), _meta: { trace: 1 }, resultType: 'input_required' };
    expect(applyToResult(result, [], KEY)).toEqual({ ok: true, result, masked: [] });
  });

  test('an obligation that is optional and not fulfilled here changes nothing', () => {
    const log: Obligation = { type: 'log', level: 'info', mandatory: false };
    const result = structured(CUSTOMER);
    expect(applyToResult(result, [log], KEY)).toEqual({ ok: true, result, masked: [] });
    expect(withholdsStream([log])).toBe(false);
  });
});

describe('keep_fields', () => {
  test.each<[string, string[], object, string[]]>([
    ['a member', ['/id'], { id: 'c-1' }, ['/*']],
    ['a whole object', ['/contact'], { contact: CUSTOMER.contact }, ['/*']],
    [
      'a member of each element',
      ['/accounts/*/currency'],
      { accounts: [{ currency: 'EUR' }, { currency: 'USD' }] },
      ['/*', '/accounts/*/*'],
    ],
    [
      'one element, in its position',
      ['/accounts/1/currency'],
      { accounts: [null, { currency: 'USD' }] },
      ['/*', '/accounts/*', '/accounts/1/*'],
    ],
    [
      'the first element, without a trace of the others',
      ['/accounts/0/currency'],
      { accounts: [{ currency: 'EUR' }] },
      ['/*', '/accounts/*', '/accounts/0/*'],
    ],
    ['nothing', [], {}, ['/*']],
    ['a path that leads nowhere', ['/contact/fax'], { contact: {} }, ['/*', '/contact/*']],
    ['a path below a scalar', ['/id/x'], {}, ['/*']],
    ['everything', [''], CUSTOMER, []],
    ['names of the prototype', ['/constructor', '/toString/name'], {}, ['/*']],
  ])('keeps %s', (_what, paths, value, masked) => {
    expect(shaped(CUSTOMER, [keep(paths)])).toEqual({ value, masked });
  });

  test('of several lists only what all of them hold passes', () => {
    const obligations = [keep(['/contact', '/id']), keep(['/contact/email', '/name'])];
    const value = { contact: { email: 'ada@example.com' } };
    expect(shaped(CUSTOMER, obligations)).toEqual({ value, masked: ['/*', '/contact/*'] });
  });

  test('a container that only one list leads into does not pass', () => {
    const obligations = [keep(['/contact/email', '/id']), keep(['/name', '/id'])];
    expect(shaped(CUSTOMER, obligations)).toEqual({ value: { id: 'c-1' }, masked: ['/*'] });
  });

  test('a path said twice is said once', () => {
    expect(shaped(CUSTOMER, [keep(['/id', '/id'])])).toEqual({
      value: { id: 'c-1' },
      masked: ['/*'],
    });
  });

  test('of lists that reach differently deep the deepest decides', () => {
    const value = { a: { b: { c: 1, d: 2 }, e: 3 } };
    for (const lists of [
      [keep(['/a']), keep(['/a/b/c'])],
      [keep(['']), keep(['/a']), keep(['/*/b/c'])],
    ]) {
      expect(shaped(value, lists)).toMatchObject({ value: { a: { b: { c: 1 } } } });
      expect(shaped(value, lists.toReversed())).toMatchObject({ value: { a: { b: { c: 1 } } } });
    }
  });

  test('escaped names and a literal asterisk are reached', () => {
    const value = { 'a/b': 1, 'c~d': 2, '*': 3, e: 4 };
    expect(shaped(value, [keep(['/a~1b', '/c~0d'])])).toMatchObject({
      value: { 'a/b': 1, 'c~d': 2 },
    });
    expect(shaped(value, [keep(['/*'])])).toMatchObject({ value });
  });

  test('an outermost array is reached by position', () => {
    expect(shaped([{ a: 1, b: 2 }], [keep(['/*/a'])])).toEqual({
      value: [{ a: 1 }],
      masked: ['/*/*'],
    });
    expect(shaped([1, 2, 3], [keep(['/x'])])).toEqual({ value: [], masked: ['/*'] });
  });

  test('the record never tells a name that the policy does not tell', () => {
    const value = { balances: { 'ada@example.com': { amount: 1, note: 'secret' } } };
    const { masked } = shaped(value, [keep(['/balances/*/amount'])]) as { masked: string[] };
    expect(masked).toEqual(['/balances/*/*']);
  });
});

test('the record fits into an outcome report', () => {
  const names = Array.from({ length: 1100 }, (_, i) => `n${i}`);
  const value = Object.fromEntries(names.map((name) => [name, { a: 1 }]));
  const masks = (count: number) =>
    Array.from({ length: Math.ceil(count / 256) }, (_, i) =>
      mask(
        names.slice(i * 256, Math.min(count, (i + 1) * 256)).map((name) => `/${name}/a`),
        'remove',
      ),
    );
  expect(shaped(value, masks(1024))).toMatchObject({ masked: { length: 1024 } });
  expect(shaped(value, masks(1025))).toMatchObject({ masked: [''] });
  const long = 'n'.repeat(1023);
  expect(shaped({ [long]: 1 }, [mask([`/${long}`], 'remove')])).toMatchObject({
    masked: [`/${long}`],
  });
  expect(shaped({ [long]: { a: 1 } }, [mask([`/${long}/a`], 'remove')])).toMatchObject({
    masked: [''],
  });
});

describe('mask_fields', () => {
  const email = keyedDigestOf(KEY, 'ada@example.com');

  test.each<[string, Obligation[], object, string[]]>([
    [
      'removes',
      [mask(['/contact', '/accounts/*/iban'], 'remove')],
      {
        id: 'c-1',
        name: 'Ada Marlow',
        accounts: [{ currency: 'EUR' }, { currency: 'USD' }],
      },
      ['/accounts/*/iban', '/contact'],
    ],
    [
      'replaces whatever type stands there',
      [mask(['/contact', '/accounts'], 'replace')],
      { id: 'c-1', name: 'Ada Marlow', contact: '[masked]', accounts: '[masked]' },
      ['/accounts', '/contact'],
    ],
    [
      'digests',
      [mask(['/contact/email'], 'digest')],
      { ...CUSTOMER, contact: { ...CUSTOMER.contact, email } },
      ['/contact/email'],
    ],
    ['leaves what no path meets', [mask(['/fax', '/id/x'], 'remove')], CUSTOMER, []],
    [
      'takes the strictest mode where masks meet',
      [mask(['/id'], 'digest'), mask(['/id', '/name'], 'replace'), mask(['/*'], 'digest')],
      {
        id: '[masked]',
        name: '[masked]',
        contact: keyedDigestOf(KEY, CUSTOMER.contact),
        accounts: keyedDigestOf(KEY, CUSTOMER.accounts),
      },
      ['/*', '/id', '/name'],
    ],
    [
      'digests a parent without the members that another mask takes',
      [mask(['/contact'], 'digest'), mask(['/contact/email'], 'remove')],
      { ...CUSTOMER, contact: keyedDigestOf(KEY, { phone: CUSTOMER.contact.phone }) },
      ['/contact', '/contact/email'],
    ],
    [
      'keeps first and masks then',
      [mask(['/contact'], 'digest'), keep(['/contact/phone', '/id'])],
      { id: 'c-1', contact: keyedDigestOf(KEY, { phone: CUSTOMER.contact.phone }) },
      ['/*', '/contact', '/contact/*'],
    ],
  ])('%s', (_what, obligations, value, masked) => {
    const recorded = masked.toSorted();
    expect(shaped(CUSTOMER, obligations)).toEqual({ value, masked: recorded });
    expect(shaped(CUSTOMER, obligations.toReversed())).toEqual({ value, masked: recorded });
  });

  test('the record tells a name as the policy writes it, where one of its paths does', () => {
    const value = { 'a/b': { 'c~d': 1, e: 2 } };
    expect(shaped(value, [mask(['/a~1b/c~0d', '/*/e'], 'remove')])).toEqual({
      value: { 'a/b': {} },
      masked: ['/a~1b/c~0d', '/a~1b/e'],
    });
  });

  test('a removed element leaves its place to the others', () => {
    expect(shaped([1, 2, 3], [mask(['/1'], 'remove')])).toEqual({
      value: [1, null, 3],
      masked: ['/1'],
    });
    expect(shaped([1, 2, 3], [mask(['/2'], 'remove')])).toMatchObject({ value: [1, 2] });
  });

  test('the empty path withholds the value whole, in each of its places', () => {
    const applied = applyToResult(structured(CUSTOMER), [mask([''], 'replace')], KEY);
    expect(applied).toEqual({ ok: true, result: { content: [] }, masked: [''] });
  });
});

test('a masked call withholds what is sent beside its result', () => {
  expect(withholdsStream([])).toBe(false);
  expect(withholdsStream([keep(['/id'])])).toBe(true);
  expect(withholdsStream([mask(['/id'], 'remove')])).toBe(true);
});
