import { describe, expect, test } from '@jest/globals';
import { offersTasks, trimServerResult } from '../../src/pep/capabilities.ts';

const TASKS = 'io.modelcontextprotocol/tasks';

/** What is left of an offer, but for the extensions. */
function trimmed(capabilities: object, era: 'legacy' | 'modern') {
  const result = trimServerResult({ capabilities }, era, { audit_events: false });
  const { extensions: _, ...left } = result['capabilities'] as Record<string, unknown>;
  return left;
}

describe('what a server may say that it can do', () => {
  test.each([
    ['tools', { tools: {} }, { tools: { listChanged: true } }, { tools: {} }],
    [
      'tools that change',
      { tools: { listChanged: true } },
      { tools: { listChanged: true } },
      { tools: { listChanged: true } },
    ],
    [
      'prompts that change',
      { prompts: { listChanged: true } },
      { prompts: { listChanged: true } },
      { prompts: { listChanged: true } },
    ],
    [
      'resources that change',
      { resources: { listChanged: true } },
      { resources: { listChanged: true } },
      { resources: { listChanged: true } },
    ],
    [
      'what is not true',
      { prompts: { listChanged: false }, resources: { listChanged: 1, subscribe: 'yes' } },
      { prompts: { listChanged: true }, resources: { listChanged: true } },
      { prompts: {}, resources: {} },
    ],
  ])('of %s, in either era', (_what, offered, legacy, modern) => {
    expect([trimmed(offered, 'legacy'), trimmed(offered, 'modern')]).toEqual([legacy, modern]);
  });
});

test.each<[object, boolean]>([
  [{}, false],
  [{ capabilities: {} }, false],
  [{ capabilities: { tasks: true, extensions: { [TASKS]: true } } }, false],
  [{ capabilities: { [TASKS]: {} } }, false],
  [{ capabilities: { extensions: { other: {} } } }, false],
  [{ capabilities: { tasks: {} } }, true],
  [{ capabilities: { extensions: { [TASKS]: {} } } }, true],
])('%j offers tasks: %s', (result, offers) => {
  expect(offersTasks(result as Record<string, unknown>)).toBe(offers);
});
