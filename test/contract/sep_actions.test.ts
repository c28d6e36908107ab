/** The words of the SEP for what MCP calls methods. */
import { expect, test } from '@jest/globals';
import { SEP_ACTIONS, sepWordsOf } from '../../src/contract/sep_actions.ts';

test('each method has the words of its place in the table', () => {
  const placed = Object.entries(SEP_ACTIONS).flatMap(([type, actions]) =>
    Object.entries(actions).map(([action, method]) => ({ type, action, method })),
  );
  expect(placed.length).toBeGreaterThan(5);
  for (const { type, action, method } of placed) {
    expect(sepWordsOf(method)).toEqual({ type, action });
  }
  expect(sepWordsOf('tools/call')).toEqual({ type: 'tool', action: 'execute' });
});

test('what the SEP has no words for has none', () => {
  expect(sepWordsOf('ping')).toBeUndefined();
});
