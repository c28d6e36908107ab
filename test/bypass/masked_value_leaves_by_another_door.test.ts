/** A value that is masked in one place of a result stands in another, or in an error. */
import { describe, expect } from '@jest/globals';
import { z } from 'zod';
import type { HighServer } from '../pep/support/servers.ts';
import { callOf, CANARY, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { WITH_CUSTOMER } from './support/policy.ts';
import { guardedDoors, naiveStdio, type Said } from './support/targets.ts';

const RECORD = { id: 'c-1', ssn: CANARY };
const structuredContent = RECORD;
const text = (value: unknown) => ({ type: 'text', text: JSON.stringify(value) });
const uri = `file:///${CANARY}`;

const RESULTS: Record<string, () => object> = {
  'a text of another shape': () => ({ content: [text([RECORD])], structuredContent }),
  'a text that repeats it': () => ({ content: [text(RECORD)], structuredContent }),
  prose: () => ({
    content: [{ type: 'text', text: `the number is ${CANARY}` }],
    structuredContent,
  }),
  'a link': () => ({ content: [{ type: 'resource_link', uri, name: CANARY }], structuredContent }),
  'a resource': () => ({ content: [{ type: 'resource', resource: { uri, text: CANARY } }] }),
  'an image': () => ({ content: [{ type: 'image', data: 'AA==', mimeType: `image/${CANARY}` }] }),
  annotations: () => ({ content: [{ ...text({ id: 'c-1' }), _meta: RECORD }], structuredContent }),
  metadata: () => ({ content: [], structuredContent, _meta: RECORD }),
  'a name': () => ({ content: [], structuredContent: { id: 'c-1', [CANARY]: 1 } }),
  'an error that is a result': () => ({ content: [text(RECORD)], isError: true }),
  'an error': () => {
    throw new Error(`no such customer as ${CANARY}`);
  },
};

const answering = (answer: () => object) => (server: HighServer, bank: Bank) => {
  server.registerTool('customer', { inputSchema: z.object({}) }, () => {
    bank.did('customer', true);
    return answer() as never;
  });
};

/** It takes the field away where the schema of the tool has it. */
const masks = {
  out: (message: Said): unknown => {
    const { ssn: _ssn, ...kept } = message.result?.structuredContent ?? {};
    return message.result?.structuredContent
      ? { ...message, result: { ...message.result, structuredContent: kept } }
      : message;
  },
};

describe.each(Object.entries(RESULTS))('a value in %s', (_where, answer) => {
  const attack: Attack = async ({ bank, say }) => {
    await say(JSON.stringify(callOf('customer')));
    expect(bank.done).toContain('customer');
  };
  const victim = { data: WITH_CUSTOMER, more: answering(answer), as: 'bot' };
  bypass(attack, {
    held: guardedDoors(victim),
    breached: { 'a guard of one field': naiveStdio(1, { looks: masks, ...victim }) },
  });
});
