/** What is read of a request to a client: the members that its method defines, each of its kind. */
import { describe, expect, test } from '@jest/globals';
import { readAsk, type AskMethod } from '../../src/pep/asks.ts';
import type { Era } from '../../src/pep/methods.ts';
import { FORM, PAGE, SAMPLE } from './support/asking.ts';

const EVERYTHING = {
  ...SAMPLE,
  modelPreferences: { speedPriority: 1 },
  systemPrompt: 'p',
  includeContext: 'none',
  temperature: 0.5,
  stopSequences: ['.'],
  metadata: { a: 1 },
  tools: [],
  toolChoice: { mode: 'auto' },
};
const { elicitationId: _id, ...MODERN_PAGE } = PAGE;

describe('what is asked', () => {
  test.each<[AskMethod, Era, unknown, object, object]>([
    ['sampling/createMessage', 'legacy', EVERYTHING, EVERYTHING, EVERYTHING],
    ['sampling/createMessage', 'modern', { ...SAMPLE, mode: 'form' }, SAMPLE, SAMPLE],
    ['elicitation/create', 'legacy', FORM, FORM, { mode: 'form', ...FORM }],
    ['elicitation/create', 'legacy', PAGE, PAGE, PAGE],
    ['elicitation/create', 'modern', PAGE, MODERN_PAGE, MODERN_PAGE],
    ['roots/list', 'legacy', undefined, {}, {}],
    ['roots/list', 'modern', { mode: 'url', secret: 1 }, {}, {}],
  ])('%# by %s, %s, is told and decided on without anything else', (method, era, raw, ...read) => {
    const [params, args] = read;
    const asked = readAsk(method, raw, era);
    expect(asked).toStrictEqual({ method, params, arguments: args });
  });

  test.each(Object.keys(EVERYTHING))('is none where %s is of another kind', (name) => {
    for (const wrong of [true, null]) {
      const raw = { ...EVERYTHING, [name]: wrong };
      expect(readAsk('sampling/createMessage', raw, 'legacy')).toBe(`/params/${name}`);
    }
  });

  test.each([
    ['in a list', ['https://pay.example/']],
    ['with a name', 'https://name@evil.example/'],
    ['with a password alone', 'https://:pay.example@evil.example/'],
    ['that is relative', '/sign-in'],
  ])('is none where it sends to an address %s', (_what, url) => {
    for (const era of ['legacy', 'modern'] as const) {
      expect(readAsk('elicitation/create', { ...PAGE, url }, era)).toBe('/params/url');
    }
  });
});
