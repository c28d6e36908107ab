/** What passes between a client and a server that are not of any SDK, and what does not. */
import { describe, expect, test } from '@jest/globals';
import { decisionOf } from '../../src/pep/call_context.ts';
import { bare, type Bare, type Heard } from './support/bare.ts';
import { allow } from './support/scripted.ts';
import { plainTool } from './support/servers.ts';
import { settle } from './support/wire.ts';

const KEEP = { type: 'keep_fields' as const, paths: [], unstructured: 'drop' as const };
/** Masks what the tool `masked` answers. */
const decide = ({ resource: { id } }: { resource: { id: string } }) =>
  allow({ obligations: id === 'masked' ? [KEEP] : [] });
const list = () => ({ result: { tools: ['masked', 'plain'].map((name) => plainTool(name)) } });
const call = (id: unknown, name: string, _meta?: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, ...(_meta && { _meta }) },
});
const cancel = (requestId: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
});
const log = { method: 'notifications/message', params: { level: 'info', data: 'x' } };
const progress = (progressToken: unknown) => ({
  method: 'notifications/progress',
  params: { progressToken, progress: 1 },
});
const tokenOf = ({ params }: Heard): unknown =>
  (params?.['_meta'] as { progressToken?: unknown } | undefined)?.progressToken;

describe('progress', () => {
  test.each<[unknown, boolean]>([
    ['a token', true],
    [0, true],
    [{}, false],
    [true, false],
    [undefined, false],
  ])('is told under the token %j that the client gave: %s', async (progressToken, isTold) => {
    const rig = await bare({}, { answer: () => undefined });
    const _meta = { ...(progressToken !== undefined && { progressToken }) };
    rig.wire.give(call(1, 'balance', _meta));
    await settle();
    const server_id = rig.heard[0]?.id;
    if (isTold) expect(tokenOf(rig.heard[0]!)).toBe(server_id);
    await rig.say(progress(server_id));
    expect(rig.wire.messages).toEqual(
      isTold ? [{ jsonrpc: '2.0', ...progress(progressToken) }] : [],
    );
  });
});

describe('what a masked call says', () => {
  /** Runs `masked` beside `plain`, and speaks as its handler while it is given the call. */
  async function speaking(say: (rig: Bare, plain: number) => unknown): Promise<unknown[]> {
    const rig: Bare = await bare(
      { decide },
      {
        list,
        answer: ({ params }) => {
          if (params?.['name'] === 'masked') said.push(say(rig, rig.heard[0]?.id as number));
          return undefined;
        },
      },
    );
    const said: unknown[] = [];
    rig.wire.give(call('p', 'plain', { progressToken: 5 }));
    await settle();
    rig.wire.give(call('m', 'masked'));
    await settle();
    await Promise.all(said);
    expect(said).toHaveLength(1);
    return rig.wire.messages;
  }

  test('is withheld, though it names another call', async () => {
    expect(await speaking(({ say }, plain) => say(log, plain))).toEqual([]);
    expect(await speaking(({ say }, plain) => say(progress(plain)))).toEqual([]);
  });

  test('does not silence another connection', async () => {
    const other = await bare();
    await other.wire.ask('p', 'ping');
    await speaking(() => other.say(log));
    expect(other.wire.messages.slice(1)).toEqual([{ jsonrpc: '2.0', ...log }]);
  });

  test('passes where it names a call that is none, and is about none', async () => {
    const rig = await bare();
    await rig.wire.ask('p', 'ping');
    await rig.say(log, 99);
    expect(rig.wire.messages.slice(1)).toEqual([{ jsonrpc: '2.0', ...log }]);
    expect(rig.wire.options.at(-1)).toEqual({ relatedRequestId: undefined });
  });
});

describe('the decision of a call', () => {
  test('is given for what an SDK gives a handler, and for nothing else', async () => {
    const seen: unknown[] = [];
    const rig = await bare(
      {},
      {
        answer: ({ id }) => {
          const others = [undefined, null, 'x', [], {}, { mcpReq: 'x' }, { requestId: 'x' }];
          seen.push(...others.map(decisionOf), typeof decisionOf({ requestId: id }));
          return { result: { content: [] } };
        },
      },
    );
    await rig.wire.call(1, 'balance');
    expect(seen).toEqual([...Array.from({ length: 7 }, () => undefined), 'object']);
  });

  const checked = async (check: (extra: unknown) => unknown, script = {}, identity = {}) => {
    let answer: unknown;
    const rig: Bare = await bare(script, {
      ...identity,
      answer: ({ id }) => {
        answer = check({ requestId: id });
        return { result: { content: [] } };
      },
    });
    await rig.wire.call(1, 'balance');
    return [await answer, rig] as const;
  };

  test.each([
    ['resource', 'resources/read'],
    ['resource_template', 'resources/read'],
    ['prompt', 'prompts/get'],
  ] as const)('answers for a %s what its use is', async (type, method) => {
    const [may, { parts }] = await checked((extra) => decisionOf(extra)?.check(type, 'balance'));
    expect(may).toBe(true);
    expect(parts.decisionPoint.decisions[1]).toMatchObject({
      action: { name: method },
      resource: { type, id: 'balance' },
    });
    expect(parts.decisionPoint.decisions[1]?.resource.properties).toEqual({ server: 'payments' });
  });

  test('answers for a tool as it is defined', async () => {
    const [, { parts }] = await checked((extra) => decisionOf(extra)?.check('tool', 'balance'));
    const [called, asked] = parts.decisionPoint.decisions.map(({ resource }) => resource);
    expect(asked).toEqual(called);
    expect(asked?.properties.definition_digest).toMatch(/^sha256:/);
  });

  test('is no where the decision point is gone while other arguments are wanted', async () => {
    let decided = 0;
    const script = {
      decide: () => {
        decided += 1;
        if (decided === 1) return allow();
        return {
          ...allow({ outcome: 'deny', reason_code: 'ARGUMENTS_INCOMPLETE' }),
          decision: false,
        };
      },
      describe: () => {
        if (decided > 0) throw new Error('gone');
        return { ready: true };
      },
    };
    const [may] = await checked((extra) => decisionOf(extra)?.check('tool', 'balance'), script);
    expect([may, decided]).toEqual([false, 2]);
  });
});

describe('a question of the server', () => {
  const ping = (id: unknown) => ({ id, method: 'ping' });

  test('passes with as many others as the limit, and again once one is answered', async () => {
    const rig = await bare({}, { settings: { requests_in_flight_max: 2 } });
    await rig.wire.ask('p', 'ping');
    for (const id of ['a', 'b', 'c']) await rig.say(ping(id));
    await settle();
    expect(rig.wire.messages.slice(1).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(rig.heard.at(-1)).toMatchObject({ id: 'c', error: { code: -32601 } });
    rig.wire.give({ jsonrpc: '2.0', id: 'a', result: {} });
    await rig.say(ping('d'));
    expect(rig.wire.messages.at(-1)).toMatchObject({ id: 'd' });
  });
});

describe('a call that was cancelled', () => {
  test.each(['ping', 'logging/setLevel', 'initialize', 'tools/list', 'tools/call'])(
    '%s is a call that nobody waits for, not one that failed',
    async (method) => {
      const rig = await bare({}, { answer: () => undefined });
      rig.wire.give({ jsonrpc: '2.0', id: 1, method, params: { name: 'balance' } });
      await settle();
      expect(rig.heard).toMatchObject([{ method }]);
      rig.wire.give(cancel(1));
      await settle();
      expect([rig.wire.sent, rig.parts.log.lines]).toEqual([[], []]);
      expect(rig.heard.slice(1)).toMatchObject([{ params: { requestId: rig.heard[0]?.id } }]);
    },
  );

  test('ends the question to the decision point', async () => {
    const rig = await bare();
    const given: (AbortSignal | undefined)[] = [];
    const hang = (_request: object, options?: { signal?: AbortSignal }) => {
      given.push(options?.signal);
      return new Promise<never>(() => undefined);
    };
    Object.assign(rig.parts.decisionPoint, { decide: hang, discover: hang });
    rig.wire.give(call(1, 'balance'));
    rig.wire.give({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    await settle();
    expect(given.map((signal) => signal?.aborted)).toEqual([false, false]);
    for (const id of [1, 2]) rig.wire.give(cancel(id));
    expect(given.map((signal) => signal?.aborted)).toEqual([true, true]);
  });
});
