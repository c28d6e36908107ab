/** The messages of a prompt and the contents of a resource under a mask. */
import { describe, expect, test } from '@jest/globals';
import { JSON_LIMITS } from '../../../src/contract/json.ts';
import { applyToResult, WITHHELD, type ResultShape } from '../../../src/pep/obligations/apply.ts';
import { keep, KEY, type Unstructured } from './values.ts';

const PROMPT: ResultShape = { of: 'prompt' };
const RESOURCE: ResultShape = { of: 'resource', uri: 'crm://asked' };
const TEXT = '{"id":1,"email":"ada@example.com"}';

const masked = (result: unknown, shape: ResultShape, unstructured: Unstructured = 'drop') =>
  applyToResult(result, [keep(['/id'], unstructured)], KEY, JSON_LIMITS, shape);
const passed = (result: object, ...paths: string[]) => ({ ok: true, result, masked: paths });
const MALFORMED = { ok: false, reason: 'the result is malformed, too large or too deep' };
const UNSTRUCTURED = { ok: false, reason: 'unstructured content may not pass' };

const message = (role: unknown, text: string = TEXT) => ({ role, content: { type: 'text', text } });
const content = (text: string = TEXT) => ({ uri: 'crm://other', mimeType: 'x/y', _meta: {}, text });
const KEPT = '{"id":1}';

describe.each<[string, ResultShape, unknown[], unknown[]]>([
  ['messages', PROMPT, [message('user')], [message('user', KEPT)]],
  [
    'contents',
    RESOURCE,
    [content()],
    [{ uri: 'crm://asked', mimeType: 'application/json', text: KEPT }],
  ],
])('%s', (member, shape, given, kept) => {
  test('are made anew, with the type of the result where it had one', () => {
    for (const type of [{}, { resultType: 'complete' }]) {
      const result = { [member]: given, description: 'ada@example.com', _meta: {}, ...type };
      expect(masked(result, shape)).toStrictEqual(passed({ [member]: kept, ...type }, '/*'));
    }
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', given],
    ['a list with such a member', Object.assign([...given], { [member]: given })],
    ['a text', 'ada@example.com'],
    ['no such member', {}],
    ['a member that is no list', { [member]: { 0: given[0] } }],
    ['a member that is a text', { [member]: 'ada' }],
    ['a question', { [member]: given, resultType: 'input_required' }],
    ['a type that is null', { [member]: given, resultType: null }],
    ['a type that is empty', { [member]: given, resultType: '' }],
  ])('are refused where the result is %s', (_what, result) => {
    expect(masked(result, shape)).toEqual(MALFORMED);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a text', 'ada@example.com'],
    ['empty', {}],
  ])('that are %s are refused or dropped', (_what, item) => {
    const result = { [member]: [item, ...given] };
    expect(masked(result, shape, 'refuse')).toEqual(UNSTRUCTURED);
    expect(masked(result, shape)).toEqual(passed({ [member]: kept }, '', '/*'));
  });

  test('pass as a result of no other shape', () => {
    expect(masked({ [member]: given }, { of: 'nothing' })).toEqual(MALFORMED);
    expect(masked({ [member]: given }, { of: 'tool' })).toEqual(MALFORMED);
  });
});

describe('prose', () => {
  const prompt = { messages: [message('assistant', 'ada'), message('user')] };
  const resource = { contents: [content('ada'), content()] };
  const json = { uri: 'crm://asked', mimeType: 'application/json', text: KEPT };

  test('is refused', () => {
    expect(masked(prompt, PROMPT, 'refuse')).toEqual(UNSTRUCTURED);
    expect(masked(resource, RESOURCE, 'refuse')).toEqual(UNSTRUCTURED);
  });

  test('is dropped', () => {
    const messages = [message('user', KEPT)];
    expect(masked(prompt, PROMPT)).toEqual(passed({ messages }, '', '/*'));
    expect(masked(resource, RESOURCE)).toEqual(passed({ contents: [json] }, '', '/*'));
  });

  test('is redacted', () => {
    const messages = [message('assistant', WITHHELD), message('user', KEPT)];
    expect(masked(prompt, PROMPT, 'redact')).toEqual(passed({ messages }, '', '/*'));
    const note = { uri: 'crm://asked', mimeType: 'text/plain', text: WITHHELD };
    const contents = [note, json];
    expect(masked(resource, RESOURCE, 'redact')).toEqual(passed({ contents }, '', '/*'));
  });
});

test.each<[unknown, boolean]>([
  ['user', true],
  ['assistant', true],
  ['ada@example.com', false],
  ['', false],
  [undefined, false],
])('a message of the role %j passes: %j', (role, passes) => {
  const messages = passes ? [message(role, KEPT)] : [];
  expect(masked({ messages: [message(role)] }, PROMPT)).toEqual(passed({ messages }, '/*'));
});
