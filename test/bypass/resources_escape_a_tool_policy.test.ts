/**
 * Row 5: what is hidden as a tool is had as a resource, by a template, as a prompt, by completion.
 */
import { describe, expect, test } from '@jest/globals';
import { ResourceTemplate as Template1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { completable as completable1 } from '@modelcontextprotocol/sdk/server/completable.js';
import {
  completable as completable2,
  ResourceTemplate as Template2,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { HighServer, Line } from '../pep/support/servers.ts';
import { CANARY, requestOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, withData } from './support/policy.ts';
import { guardedDoors, naiveHttp, naiveStdio, type Said } from './support/targets.ts';

const shelf = (server: HighServer, bank: Bank, line: Line): void => {
  const [complete, Template] = line === 1 ? [completable1, Template1] : [completable2, Template2];
  const high = server as Said;
  const read = ({ href: uri }: URL) => {
    bank.did(uri, !uri.includes('secret'));
    return { contents: [{ uri, text: uri.includes('secret') ? CANARY : 'open' }] };
  };
  high.registerResource('open', 'file:///open', {}, read);
  high.registerResource('secret', 'file:///secret', { description: CANARY }, read);
  const codes = { list: undefined, complete: { code: () => ['open', CANARY] } };
  high.registerResource('box', new (Template as Said)('vault://box/{code}', codes), {}, read);
  high.registerResource(
    'vault',
    new (Template as Said)('vault://secret/{code}', codes),
    { description: CANARY },
    read,
  );
  const name = (complete as Said)(z.string(), () => [CANARY]);
  const argsSchema = line === 1 ? { name } : z.object({ name });
  const answer = () => ({ messages: [{ role: 'user', content: { type: 'text', text: CANARY } }] });
  high.registerPrompt('secret', { description: CANARY, argsSchema }, answer);
};

const open = [
  'resource:bank/file:///open',
  'resource:bank/vault://box/open',
  'resource_template:bank/vault://box/{code}',
];
const data = withData({
  registry: Object.fromEntries(open.map((name) => [name, OWNED])),
  grants: open.map((on) => ({ to: { group: 'tellers' }, on })),
});

const prompt = { type: 'ref/prompt', name: 'secret' };
const box = { type: 'ref/resource', uri: 'vault://box/{code}' };
const vault = { type: 'ref/resource', uri: 'vault://secret/{code}' };
const REQUESTS: [string, object][] = [
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['prompts/list', {}],
  ['resources/read', { uri: 'file:///secret' }],
  ['resources/read', { uri: 'vault://box/secret' }],
  ['resources/read', { uri: 'vault://secret/open' }],
  ['prompts/get', { name: 'secret', arguments: { name: 'x' } }],
  ['completion/complete', { ref: prompt, argument: { name: 'name', value: '' } }],
  ['completion/complete', { ref: box, argument: { name: 'code', value: '' } }],
  ['completion/complete', { ref: vault, argument: { name: 'code', value: '' } }],
];

/** A tool policy: other methods are none of its business. */
const looks = {
  in: (message: Said): unknown =>
    message.method === 'tools/call' && message.params.name === 'secret' ? undefined : message,
};

describe.each(REQUESTS)('%s %j', (method, params) => {
  const attack: Attack = ({ say }) => say(JSON.stringify(requestOf(method, params)));
  bypass(attack, {
    held: guardedDoors({ data, more: shelf }),
    breached: {
      'a guard of tools, 1.x': naiveStdio(1, { looks, more: shelf }),
      'a guard of tools, 2.x': naiveHttp(2, { looks, more: shelf }),
    },
  });
});

test.each(Object.entries(guardedDoors({ data, more: shelf })))(
  'what is open is read: %s',
  async (_door, door) => {
    const { bank, say, close } = await door();
    for (const uri of ['file:///open', 'vault://box/open']) {
      await say(JSON.stringify(requestOf('resources/read', { uri })));
      expect(bank.done).toContain(uri);
    }
    await close();
  },
);
