/** An argument that begins as an allowed path does, and leads elsewhere. */
import { posix } from 'node:path';
import { describe, expect } from '@jest/globals';
import { z } from 'zod';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, CANARY, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, withData } from './support/policy.ts';
import { guardedDoors, naiveStdio, type Said } from './support/targets.ts';

const FOLDER = '/srv/public';

const more = (server: HighServer, bank: Bank): void => {
  server.registerTool('read', { inputSchema: z.object({ path: z.string() }) }, (args) => {
    const [path = ''] = (args as Said).path.replaceAll('\\', '/').split('\u0000');
    const inside = posix.resolve(path).startsWith(`${FOLDER}/`);
    bank.did('read', inside);
    return said(inside ? 'public' : CANARY);
  });
};
const data = withData({
  registry: { 'tool:bank/read': OWNED },
  grants: [
    { to: { group: 'tellers' }, on: 'tool:bank/read', within: { '/path': { path_under: FOLDER } } },
  ],
});

const looks = {
  in: (message: Said): unknown =>
    message.params?.name !== 'read' || message.params.arguments.path.startsWith(FOLDER)
      ? message
      : undefined,
};

const PATHS = [
  '/../secret',
  '/a/../../secret',
  '/./../secret',
  '-secret/x',
  '\\..\\secret',
  '//../secret',
  '/..\u0000/x',
];

describe.each(PATHS)(`a path of ${FOLDER} and %j`, (rest) => {
  const attack: Attack = async ({ bank, say }) => {
    await say(JSON.stringify(callOf('read', { path: `${FOLDER}/x` })));
    expect(bank.done).toContain('read');
    await say(JSON.stringify(callOf('read', { path: FOLDER + rest })));
  };
  bypass(attack, {
    held: guardedDoors({ data, more }),
    breached: { 'a guard that looks how it begins': naiveStdio(1, { looks, more }) },
  });
});
