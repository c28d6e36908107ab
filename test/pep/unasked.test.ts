/** Answers of a client to questions that never left the server (MCP 2026-07-28, mrtr). */
import { describe, expect, test } from '@jest/globals';
import {
  ACCEPT,
  OFFERED,
  offering,
  rounds,
  SAMPLED,
  TRANSFER,
  type Params,
} from './support/rounds.ts';
import { allow, deny, hide, type Script } from './support/scripted.ts';
import { LINES } from './support/servers.ts';

describe.each(LINES)('an answer that nobody asked for, SDK %i.x', (line) => {
  const unasked = async (script: Script, inputResponses: Params, offers: object = OFFERED) => {
    const rig = await rounds(line, {}, script);
    await rig.call('tools/call', { ...TRANSFER, inputResponses, _meta: offering(offers) });
    const { decisions: asked, reports } = rig.parts.decisionPoint;
    return { given: rig.given[0], asked, reports };
  };
  const all = { name: ACCEPT, text: { ...SAMPLED, stopReason: 'end' }, roots: { roots: [] } };

  test('counts where policy lets the server ask anything by that method', async () => {
    const { given, asked, reports } = await unasked({}, { ...all, again: { action: 'decline' } });
    expect(given?.['inputResponses']).toEqual({ ...all, again: { action: 'decline' } });
    expect(reports.map(({ status }) => status)).toEqual(Array(4).fill('executed'));
    expect(
      asked.slice(1).map(({ resource, context }) => [resource.id, context?.arguments]),
    ).toEqual([
      ['elicitation/create', {}],
      ['sampling/createMessage', {}],
      ['roots/list', {}],
    ]);
  });

  test.each<[string, () => unknown]>([
    ['denies', () => deny()],
    ['hides', () => hide()],
    ['cannot decide', () => Promise.reject(new Error('dead'))],
  ])('is ignored where it %s that', async (_how, decide) => {
    const script: Script = {
      decide: ({ resource }) => (resource.id === 'elicitation/create' ? decide() : allow()),
    };
    const { given } = await unasked(script, all);
    expect(given?.['inputResponses']).toEqual({ text: all.text, roots: { roots: [] } });
    const { given: alone } = await unasked(script, { name: ACCEPT });
    expect(alone).not.toHaveProperty('inputResponses');
  });

  test('is ignored where the client does not offer to be asked', async () => {
    const { given, asked } = await unasked({}, all, { roots: {} });
    expect(given?.['inputResponses']).toEqual({ roots: { roots: [] } });
    expect(asked.map(({ resource }) => resource.id)).toEqual(['transfer', 'roots/list']);
  });

  test('is the answer to one method, and nothing beside', async () => {
    const script: Script = {
      decide: ({ resource }) => (resource.id === 'roots/list' ? deny() : allow()),
    };
    const both = { ...ACCEPT, roots: [], role: 'assistant', model: 'm' };
    const { given } = await unasked(script, {
      a: both,
      b: { x: 1 },
      c: { roots: [], role: 'user' },
    });
    expect(given?.['inputResponses']).toEqual({ a: ACCEPT });
  });

  test('is not looked at where the call is refused', async () => {
    const { given, asked } = await unasked({ decide: () => deny() }, all);
    expect([given, asked.length]).toEqual([undefined, 1]);
  });
});
