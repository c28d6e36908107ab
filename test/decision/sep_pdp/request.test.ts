/** Questions of ours in the words of the SEP: what is read there comes out here. */
import { describe, expect, test } from '@jest/globals';
import { actionOf, listActionsOf, sepRequestOf } from '../../../src/decision/sep_pdp/request.ts';
import { SEP_ACTIONS } from '../../../src/contract/sep_actions.ts';
import { readSepRequest } from '../../../src/decision/sep.ts';
import { METHODS } from '../../../src/pep/methods.ts';

const REQUEST = {
  subject: {
    principal: 'user:carol@example.com',
    actor_type: 'human',
    groups: ['keepers'],
    tenant: 'north',
  },
  capability: { type: 'tool', name: 'reset_meter' },
  action: 'execute',
  arguments: { meter: 7 },
  environment: { deployment: 'production', risk: 'high' },
} as const;

test('what was asked in these words is asked in the same', () => {
  const { request } = readSepRequest(REQUEST, 'meters');
  expect(sepRequestOf(request, 'execute')).toEqual(REQUEST);
});

test('R16: each method has the word that stands for it', () => {
  for (const [type, words] of Object.entries(SEP_ACTIONS)) {
    for (const [word, method] of Object.entries(words)) expect(actionOf(type, method)).toBe(word);
  }
  expect(actionOf('resource', 'resources/unsubscribe')).toBe('subscribe');
  expect(actionOf('resource', 'subscriptions/listen')).toBe('subscribe');
});

test('what has no word is not asked', () => {
  const worded = new Set<string>(
    Object.values(SEP_ACTIONS).flatMap((words) => Object.values(words)),
  );
  for (const method of [...Object.keys(METHODS), 'tools/exec', 'toString']) {
    if (!worded.has(method)) expect(actionOf('tool', method)).toBeUndefined();
  }
  for (const [type, method] of [
    ['prompt', 'tools/call'],
    ['model', 'tools/call'],
    ['constructor', 'name'],
    [7, 'tools/call'],
    ['tool', undefined],
    [['tool'], 'tools/call'],
    ['resource', ['resources/unsubscribe']],
  ]) {
    expect(actionOf(type, method)).toBeUndefined();
  }
});

test.each([
  ['tool', ['execute', 'list']],
  ['resource', ['read', 'list']],
  ['prompt', ['get', 'list']],
  ['task', ['read', 'list']],
  ['resource_template', ['list']],
  ['completion', ['complete']],
  ['mcp_server', []],
  ['model', []],
  ['constructor', []],
  [['tool'], []],
])('a list asks of a thing of type %j for what there are words for', (type, words) => {
  expect(listActionsOf(type)).toEqual(words);
});

describe('an input', () => {
  const input = readSepRequest(REQUEST, 'meters').request;

  test('without arguments or places has none', () => {
    const plain = { ...input, context: {} };
    expect(sepRequestOf(plain, 'execute')).toEqual({ ...REQUEST, arguments: {}, environment: {} });
  });

  test('keeps what the draft has no word for to itself, and every claim', () => {
    const context = {
      ...input.context,
      claimed: { approval: { present: true }, actor_type: 'human' },
      agent: { id: 'agent:a' },
      request: { id: 1 },
    };
    const said = JSON.stringify(sepRequestOf({ ...input, context }, 'execute'));
    for (const word of ['claimed', 'approval', 'agent', 'server', 'request']) {
      expect(said).not.toContain(word);
    }
  });

  test.each<[title: string, changes: object]>([
    ['groups that are no list', { subject: { id: 'a', properties: { groups: 'keepers' } } }],
    ['no principal', { subject: {} }],
    ['an actor that nobody knows', { subject: { id: 'a', properties: { actor_type: 'robot' } } }],
    ['a name that is no text', { resource: { type: 'tool', id: 7 } }],
    ['a deployment that is no text', { context: { environment: { deployment: 1 } } }],
    ['arguments that are no object', { context: { arguments: [] } }],
  ])('with %s cannot be said', (_title, changes) => {
    expect(sepRequestOf({ ...input, ...changes }, 'execute')).toBeUndefined();
  });
});
