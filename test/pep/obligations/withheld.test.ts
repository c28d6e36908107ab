import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../../src/contract/types.gen.ts';
import { JSON_LIMITS } from '../../../src/contract/json.ts';
import { WITHHELD, applyToResult } from '../../../src/pep/obligations/apply.ts';
import { withholdsStream } from '../../../src/pep/obligations/plan.ts';
import { KEY, keep, mask, structured, type Mode, type Unstructured } from './values.ts';

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

  test('is not what is JSON throughout, which passes where the rest is refused', () => {
    const result = structured({ id: 1 });
    expect(applyToResult(result, [keep(['/id'], 'refuse')], KEY)).toStrictEqual({
      ok: true,
      result,
      masked: [],
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
    const result = structured({ accounts: [{ iban: 'a' }, { iban: 'b' }] });
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
      { content: [{ type: 'text', text: 'x'.repeat(JSON_LIMITS.size_bytes_max) }] },
    ],
  ])('%s', (_what, result) => {
    expect(applyToResult(result, [keep([''], 'redact')], KEY)).toEqual(MALFORMED);
  });

  test.each<[string, object]>([
    ['a known type', { type: 'limit_result', bytes_max: 1 }],
    ['an unknown type', { type: 'shred', mandatory: false }],
    ['no type', {}],
    ['no paths', { type: 'keep_fields', unstructured: 'drop' }],
    ['a path that is no pointer', keep(['id'])],
    ['a path that is no text', keep([1 as unknown as string])],
    ['a path in a list', keep([['/id'] as unknown as string])],
    ['the members of another', { ...mask(['/id'], 'remove'), type: 'shred' }],
    ['a bad escape', mask(['/a~2'], 'remove')],
    ['an unknown mode', mask(['/a'], 'blur' as Mode)],
    ['an unknown way with prose', keep(['/a'], 'pass' as Unstructured)],
    ['none', { ...keep(['/a']), unstructured: undefined }],
  ])('an obligation with %s', (_what, obligation) => {
    const obligations = [keep(['/id']), obligation as Obligation];
    expect(applyToResult(structured({ id: 1 }), obligations, KEY)).toEqual({
      ok: false,
      reason: 'an obligation is unsupported or malformed',
    });
    expect(withholdsStream(obligations)).toBe(true);
  });
});
