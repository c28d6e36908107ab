/**
 * A template makes addresses; a hidden one is asked for as its server, and not its policy, reads
 * it.
 */
import { describe, expect, test } from '@jest/globals';
import { ResourceTemplate as Template1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ResourceTemplate as Template2 } from '@modelcontextprotocol/server';
import { foreignBundle, sceneOf } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { embedded } from '../pep/support/real.ts';
import type { HighServer, Line } from '../pep/support/servers.ts';
import { CANARY, requestOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedDoors, naiveStdio, type Said } from './support/targets.ts';

/** Everything but one address, as many write it. */
const POLICY = `package files
result := {"decision": "deny"} if input.resource.id == "vault://box/secret"
else := {"decision": "allow"} if input.subject.id != "portcullis:nobody"
`;
const point = async () =>
  embedded((await sceneOf(await foreignBundle(POLICY, ['files/result']))).core);

/** It reads an address as the web does, and finds what stands there. */
const box = (server: HighServer, bank: Bank, line: Line): void => {
  const Template = (line === 1 ? Template1 : Template2) as Said;
  const template = new Template('vault://box/{+path}', { list: undefined });
  (server as Said).registerResource('box', template, {}, (uri: URL) => {
    const { pathname } = new URL(uri.href.replace('vault:', 'http:'));
    const path = decodeURIComponent(pathname).split('\u0000', 1)[0]?.replaceAll('\\', '/');
    const found = new URL(path ?? '', 'http://box').pathname;
    bank.did(found, found !== '/secret');
    return { contents: [{ uri: uri.href, text: found === '/secret' ? CANARY : 'open' }] };
  });
};

const ADDRESSES = [
  'vault://box/s%65cret',
  'vault://box/%73%65%63%72%65%74',
  'vault://box/./secret',
  'vault://box/open/../secret',
  'vault://box/open/%2e%2e/secret',
  'vault://box/open%2F..%2Fsecret',
  'vault://box/open/..%5csecret',
  'vault://box/secret%00.txt',
];

describeWithOpa('a second spelling of a hidden address', () => {
  describe.each(ADDRESSES)('%s', (uri) => {
    const attack: Attack = ({ say }) => say(JSON.stringify(requestOf('resources/read', { uri })));
    const looks = {
      in: (message: Said): unknown =>
        message.params?.uri === 'vault://box/secret' ? undefined : message,
    };
    bypass(attack, {
      held: guardedDoors({ point, more: box }),
      breached: { 'a guard that compares addresses': naiveStdio(2, { looks, more: box }) },
    });
  });

  test.each(Object.entries(guardedDoors({ point, more: box })))(
    'the first spelling of another is read: %s',
    async (_door, open) => {
      const { bank, say, close } = await open();
      await say(JSON.stringify(requestOf('resources/read', { uri: 'vault://box/open/caf%C3%A9' })));
      expect(bank.done).toContain('/open/caf%C3%A9');
      await close();
    },
  );
});
