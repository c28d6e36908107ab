import { describe, expect, test } from '@jest/globals';
import { keyedDigestOf } from '../../../src/contract/digest.ts';
import type { Obligation } from '../../../src/contract/types.gen.ts';
import {
  OBLIGATIONS_SUPPORTED,
  RESULT_LIMITS,
  WITHHELD,
  applyToResult,
  withholdsStream,
} from '../../../src/pep/obligations/apply.ts';

const KEY = { id: 'k1', secret: Buffer.alloc(32, 7) };
const CUSTOMER = {
  id: 'c-1',
  name: 'Ada Marlow',
  contact: { email: 'ada@example.com', phone: '+44 20 7946 0000' },
  accounts: [
    { iban: 'GB33BUKB20201555555555', currency: 'EUR' },
    { iban: 'GB94BARC10201530093459', currency: 'USD' },
  ],
};

type Unstructured = 'refuse' | 'drop' | 'redact';
type Mode = 'remove' | 'replace' | 'digest';

function keep(paths: string[], unstructured: Unstructured = 'drop'): Obligation {
  return { type: 'keep_fields', paths, unstructured };
}

function mask(paths: string[], mode: Mode, unstructured: Unstructured = 'drop'): Obligation {
  return { type: 'mask_fields', paths, mode, unstructured };
}

function structured(value: object) {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

/** What the obligations make of a structured value, in both of its places. */
function shaped(value: object, obligations: Obligation[]) {
  const applied = applyToResult(structured(value), obligations, KEY);
  if (!applied.ok) return applied;
  const { content, structuredContent } = applied.result as ReturnType<typeof structured>;
  expect(content.map(({ text }) => JSON.parse(text))).toEqual([structuredContent]);
  return { value: structuredContent, masked: applied.masked };
}

test('the supported obligations are these two', () => {
  expect(OBLIGATIONS_SUPPORTED).toEqual(['keep_fields', 'mask_fields']);
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

describe('content that is no JSON', () => {
  const BLOCKS: [string, object][] = [
    ['prose', { type: 'text', text: 'Ada Marlow, ada@example.com' }],
    ['a JSON string', { type: 'text', text: '"ada@example.com"' }],
    ['a number', { type: 'text', text: '42' }],
    ['JSON with a doubled name', { type: 'text', text: '{"id":"ada@example.com","id":1}' }],
    ['JSON with a reserved name', { type: 'text', text: '{"__proto__":{"id":"ada@example.com"}}' }],
    ['JSON after a byte order mark', { type: 'text', text: '\ufeff{"id":"ada@example.com"}' }],
    ['two JSON values', { type: 'text', text: '{"id":1}\n{"id":"ada@example.com"}' }],
    ['an image', { type: 'image', data: 'YWRh', mimeType: 'image/png' }],
    ['sound', { type: 'audio', data: 'YWRh', mimeType: 'audio/wav' }],
    ['a link', { type: 'resource_link', uri: 'crm://ada@example.com', name: 'Ada Marlow' }],
    ['a resource', { type: 'resource', resource: { uri: 'crm://ada', text: '{"id":1}' } }],
    ['an unknown type', { type: 'hologram', id: 1 }],
    ['a block without type', { text: '{"id":1}' }],
    ['a text block without text', { type: 'text' }],
    ['no block at all', ['text']],
  ];

  test.each(BLOCKS)('%s is refused, dropped or redacted', (_what, block) => {
    const result = { content: [block, { type: 'text', text: '{"id":1,"x":2}' }] };
    const kept = { type: 'text', text: '{"id":1}' };
    const note = { type: 'text', text: WITHHELD };
    expect(applyToResult(result, [keep(['/id'], 'refuse')], KEY)).toEqual({
      ok: false,
      reason: 'unstructured content may not pass',
    });
    expect(applyToResult(result, [keep(['/id'], 'drop')], KEY)).toEqual({
      ok: true,
      result: { content: [kept] },
      masked: ['', '/*'],
    });
    expect(applyToResult(result, [keep(['/id'], 'redact')], KEY)).toEqual({
      ok: true,
      result: { content: [note, kept] },
      masked: ['', '/*'],
    });
  });

  test('of several obligations the strictest holds', () => {
    const result = { content: [{ type: 'text', text: 'prose' }] };
    const redact = keep(['/id'], 'redact');
    const drop = mask(['/name'], 'remove', 'drop');
    const refuse = mask(['/name'], 'remove', 'refuse');
    expect(applyToResult(result, [redact, drop], KEY)).toMatchObject({ result: { content: [] } });
    expect(applyToResult(result, [redact, drop, refuse], KEY)).toMatchObject({ ok: false });
  });

  test('a JSON text that does not mirror the structured value is unstructured', () => {
    const result = {
      content: [
        { type: 'text', text: '[{"iban":"GB33BUKB20201555555555"}]' },
        { type: 'text', text: '{ "items": [ {"iban": "GB33BUKB20201555555555"} ] }' },
      ],
      structuredContent: { items: [{ iban: 'GB33BUKB20201555555555' }] },
    };
    expect(applyToResult(result, [mask(['/items/*/iban'], 'remove')], KEY)).toEqual({
      ok: true,
      result: {
        content: [{ type: 'text', text: '{"items":[{}]}' }],
        structuredContent: { items: [{}] },
      },
      masked: ['', '/items/*/iban'],
    });
  });
});

describe('what stands round the content', () => {
  test('annotations, _meta and unknown members do not pass', () => {
    const result = {
      content: [
        {
          type: 'text',
          text: '{"id":1}',
          annotations: { lastModified: 'ada@example.com' },
          _meta: { email: 'ada@example.com' },
        },
      ],
      structuredContent: { id: 1 },
      isError: true,
      resultType: 'complete',
      _meta: { email: 'ada@example.com' },
      email: 'ada@example.com',
    };
    const passed = {
      content: [{ type: 'text', text: '{"id":1}' }],
      structuredContent: { id: 1 },
      isError: true,
      resultType: 'complete',
    };
    for (const obligation of [keep(['/id']), mask(['/name'], 'remove')]) {
      expect(applyToResult(result, [obligation], KEY)).toEqual({
        ok: true,
        result: passed,
        masked: [],
      });
    }
  });

  test('the result that was given is not changed', () => {
    const result = structured(structuredClone(CUSTOMER));
    const before = structuredClone(result);
    applyToResult(result, [keep(['/accounts/1/iban']), mask(['/accounts'], 'digest')], KEY);
    expect(result).toEqual(before);
  });
});

describe('refused', () => {
  const MALFORMED = {
    ok: false,
    reason: 'the result is malformed, too large or too deep',
  };
  const cyclic: { content: unknown[] } = { content: [] };
  cyclic.content.push(cyclic);
  const deep = JSON.parse('{"a":'.repeat(70) + '1' + '}'.repeat(70)) as object;
  const bottomless = () => {
    let value: object = {};
    for (let i = 0; i < 200_000; i += 1) value = { value };
    return value;
  };

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['no content', { structuredContent: {} }],
    ['content that is no list', { content: {} }],
    ['a structured value that is no object', { content: [], structuredContent: 'ada' }],
    ['a null structured value', { content: [], structuredContent: null }],
    ['isError that is no boolean', { content: [], isError: 'ada@example.com' }],
    ['a question to the user', { content: [], resultType: 'input_required', inputRequests: {} }],
    ['a task', { content: [], resultType: 'task', task: { taskId: '1' } }],
    ['an unknown type of result', { content: [], resultType: 'ada@example.com' }],
    ['a cycle', cyclic],
    ['a big integer', { content: [], structuredContent: { a: 1n } }],
    [
      'a getter that throws',
      {
        content: [],
        get structuredContent() {
          throw new Error('x');
        },
      },
    ],
    ['more levels than the limit', { content: [], structuredContent: deep }],
    ['more levels than the stack', { content: [], structuredContent: bottomless() }],
    ['a reserved name', JSON.parse('{"content":[],"structuredContent":{"__proto__":{"a":1}}}')],
    ['a lone surrogate', { content: [], structuredContent: { a: '\ud800' } }],
    [
      'more bytes than the limit',
      { content: [{ type: 'text', text: 'x'.repeat(RESULT_LIMITS.size_bytes_max) }] },
    ],
  ])('%s', (_what, result) => {
    expect(applyToResult(result, [keep([''], 'redact')], KEY)).toEqual(MALFORMED);
  });

  const UNSUPPORTED = { ok: false, reason: 'an obligation is unsupported' };
  const WRONG = { ok: false, reason: 'an obligation is malformed' };

  test.each<[string, object, object]>([
    ['a known type', { type: 'limit_result', bytes_max: 1 }, UNSUPPORTED],
    ['an unknown type', { type: 'shred', mandatory: false }, UNSUPPORTED],
    ['no type', {}, UNSUPPORTED],
    ['no paths', { type: 'keep_fields', unstructured: 'drop' }, WRONG],
    ['a path that is no pointer', keep(['id']), WRONG],
    ['a path that is no text', keep([1 as unknown as string]), WRONG],
    ['a bad escape', mask(['/a~2'], 'remove'), WRONG],
    ['an unknown mode', mask(['/a'], 'blur' as Mode), WRONG],
    ['an unknown way with prose', keep(['/a'], 'pass' as Unstructured), WRONG],
    ['none', { ...keep(['/a']), unstructured: undefined }, WRONG],
  ])('an obligation with %s', (_what, obligation, refused) => {
    const obligations = [keep(['/id']), obligation as Obligation];
    expect(applyToResult(structured(CUSTOMER), obligations, KEY)).toEqual(refused);
    expect(withholdsStream(obligations)).toBe(true);
  });
});

test('a masked call withholds what is sent beside its result', () => {
  expect(withholdsStream([])).toBe(false);
  expect(withholdsStream([keep(['/id'])])).toBe(true);
  expect(withholdsStream([mask(['/id'], 'remove')])).toBe(true);
});
