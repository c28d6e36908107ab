/**
 * Changes of a hidden resource are listened to, or those of one that was open when it was asked.
 */
import { describe, expect, test } from '@jest/globals';
import { SubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import { postModern } from '../pep/support/http.ts';
import { embedded } from '../pep/support/real.ts';
import { newServer, type HighServer } from '../pep/support/servers.ts';
import { activate, evidenceOnDisk, sceneWith as sceneOver } from '../support/decisions.ts';
import { requestOf, type Bank } from './support/bank.ts';
import { overHttp, webHandle, type Handle } from './support/doors.ts';
import { authInfoOf, DATA, libraryWith, OWNED, withData } from './support/policy.ts';
import {
  guardBy,
  guardedStdio,
  lookingThrough,
  naiveStdio,
  type Looks,
  type Open,
  type Said,
} from './support/targets.ts';

const OPEN = 'file:///open';
const SECRET = 'file:///secret';
const capabilities = { resources: { subscribe: true }, tools: {}, logging: {} };

const data = withData({
  registry: { [`resource:bank/${OPEN}`]: OWNED },
  grants: [{ to: { group: 'tellers' }, on: `resource:bank/${OPEN}` }],
});

const shelf = (server: HighServer): void => {
  for (const uri of [OPEN, SECRET]) {
    (server as Said).registerResource(uri, uri, {}, () => ({ contents: [{ uri, text: 'x' }] }));
  }
};

const build = (): HighServer => {
  const server = newServer(2, { capabilities });
  shelf(server);
  return server;
};

interface Entry {
  handle: Handle;
  /** What stands behind it, by which a server tells of changes. */
  entry(): McpHttpHandler;
}

/** A guard in each server that the entry builds; the entry itself knows who listens. */
function inside(looks: Looks): Entry {
  const entry = createMcpHandler(() => {
    const server = build();
    const low = server.server as { connect(transport: unknown): Promise<void> };
    const connect = low.connect.bind(low);
    low.connect = (transport) => connect(lookingThrough(transport as never, looks));
    return server as never;
  });
  return { handle: webHandle((request) => entry.fetch(request)), entry: () => entry };
}

async function guarded(): Promise<Entry> {
  const made: McpHttpHandler[] = [];
  const guard = await guardBy({ data });
  const handler = guard.http(build, {
    createMcpHandler: (...args: Parameters<typeof createMcpHandler>) => {
      made.push(createMcpHandler(...args));
      return made.at(-1);
    },
  });
  const handle: Handle = (req, res) => {
    Object.assign(req, { auth: authInfoOf(req.headers.authorization ?? null) });
    return handler(req, res);
  };
  return { handle, entry: () => made[0]! };
}

/** All that is heard until the change of the open resource is. */
async function heardOf({ handle, entry }: Entry): Promise<string> {
  const { url, close } = await overHttp(handle, { close: () => entry().close() });
  const params = { notifications: { resourceSubscriptions: [SECRET, OPEN] } };
  const headers = { authorization: 'Bearer alice' };
  const response = await postModern(url, 'subscriptions/listen', params, headers);
  let heard = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    if (heard === '') for (const uri of [SECRET, OPEN]) entry().notify.resourceUpdated(uri);
    heard += chunk;
    if (heard.includes(`"uri":"${OPEN}"`)) break;
  }
  await close();
  return heard;
}

describe('a hidden resource that is listened to', () => {
  test('is not heard of', async () => {
    expect(await heardOf(await guarded())).not.toContain(SECRET);
  });

  test('can be, where the guard is in the server', async () => {
    const looks = {
      in: (message: Said): unknown =>
        JSON.stringify(message.params ?? {}).includes(SECRET) ? undefined : message,
    };
    expect(await heardOf(inside(looks))).toContain(SECRET);
  });
});

const UPDATED = {
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri: OPEN },
};

/** One may subscribe, and hears of a change when the server turns. */
const telling = (server: HighServer, bank: Bank): void => {
  shelf(server);
  const low = server.server as Said;
  low.registerCapabilities({ resources: { subscribe: true } });
  low.setRequestHandler(SubscribeRequestSchema, () => ({}));
  bank.onTurn(() => void low.transport.send(UPDATED));
};

/** What is heard of a resource when it may be known no more. */
async function heardAfter(open: Open, revoke: () => Promise<unknown>): Promise<string> {
  const { bank, say, heard, close } = await open();
  await say(JSON.stringify(requestOf('resources/subscribe', { uri: OPEN })));
  expect(heard()).toContain('"result":{}');
  await revoke();
  const from = heard().length;
  bank.turn();
  await say('');
  await close();
  return heard().slice(from);
}

describe('a resource that was open when somebody subscribed to it', () => {
  const changing = async () => {
    const { evidence, read } = await evidenceOnDisk();
    const scene = sceneOver(await activate(await libraryWith(data), evidence), evidence, read);
    const change = async (to: object) =>
      scene.change(await activate(await libraryWith(to), evidence));
    const open = guardedStdio(1, { more: telling, point: () => embedded(scene.core) });
    return { open, change };
  };

  test('is heard of as long as it is', async () => {
    const { open, change } = await changing();
    expect(await heardAfter(open, () => change({ ...data, surfaces: {} }))).toContain(OPEN);
  });

  test('is not heard of when it is no more', async () => {
    const { open, change } = await changing();
    expect(await heardAfter(open, () => change(DATA))).not.toContain(OPEN);
  });

  test('can be, where only the subscription is looked at', async () => {
    let may = true;
    const looks = {
      in: (message: Said): unknown =>
        may || message.method !== 'resources/subscribe' ? message : undefined,
    };
    const open = naiveStdio(1, { looks, more: telling });
    const revoke = async () => {
      may = false;
    };
    expect(await heardAfter(open, revoke)).toContain(OPEN);
  });
});
