/** The official client of 1.x, asked by handlers of guarded servers of both lines. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import {
  CreateMessageRequestSchema,
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  UrlElicitationRequiredError as Required1,
} from '@modelcontextprotocol/sdk/types.js';
import { UrlElicitationRequiredError as Required2 } from '@modelcontextprotocol/server';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import { FORM, OFFERS, PAGE, SAMPLE } from './support/asking.ts';
import { closeAll, started } from './support/http.ts';
import { testParts } from './support/parts.ts';
import { allow, deny, type Script } from './support/scripted.ts';
import { buildServer, LINES, said, type HighServer, type Line } from './support/servers.ts';

afterEach(closeAll);

/** What a handler may ask with, on either line. */
interface Extra {
  sendRequest?(request: object, schema: unknown): Promise<unknown>;
  mcpReq?: { send(request: object): Promise<unknown> };
}

interface Low {
  listRoots(): Promise<unknown>;
  createElicitationCompletionNotifier(id: string): () => Promise<void>;
}

/** Tools that ask, and answer with what they were told. */
function build(line: Line): HighServer {
  const anything = { parse: (value: unknown) => value, safeParse: succeed };
  const asking =
    (method: string, params: object | undefined) => async (_: unknown, extra: unknown) => {
      const { sendRequest, mcpReq } = extra as Extra;
      const request = { method, ...(params && { params }) };
      const answer = sendRequest ? sendRequest(request, anything) : mcpReq!.send(request);
      return said(JSON.stringify(await answer));
    };
  const server = buildServer(
    line,
    { calls: [] },
    {
      form: asking('elicitation/create', { mode: 'form', ...FORM }),
      page: asking('elicitation/create', PAGE),
      sample: asking('sampling/createMessage', SAMPLE),
      roots: asking('roots/list', undefined),
      outside: async () => said(JSON.stringify(await low().listRoots())),
      required: () => {
        const Required = line === 1 ? Required1 : Required2;
        throw new Required([PAGE as never], 'Sign in first');
      },
      done: async () => {
        await low().createElicitationCompletionNotifier(PAGE.elicitationId)();
        return said('"done"');
      },
    },
  );
  const low = () => server.server as Low;
  return server;
}

const succeed = (data: unknown) => ({ success: true, data });

async function connect(transport: object, heard: string[]): Promise<Client> {
  const client = new Client({ name: 'c', version: '1' }, { capabilities: OFFERS });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    heard.push(params.mode === 'url' ? params.url : params.message);
    return {
      action: 'accept' as const,
      ...(params.mode === 'form' && { content: { account: 'a' } }),
    };
  });
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    heard.push(JSON.stringify(params.messages[0]?.content));
    return {
      role: 'assistant' as const,
      model: 'm',
      content: { type: 'text' as const, text: 'Hi' },
    };
  });
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///home' }] }));
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => {
    heard.push(`done ${params.elicitationId}`);
  });
  await client.connect(transport as never);
  return client;
}

const WAYS: [string, (line: Line, script: Script) => Promise<object>][] = [
  [
    'in memory',
    async (line, script) => {
      const [here, there] = InMemoryTransport.createLinkedPair();
      await createGuard(testParts(script))(build(line)).connect(there);
      return here;
    },
  ],
  [
    'over HTTP',
    async (line, script) => {
      const { url } = await started(() => build(line), script, { sessions: true });
      const requestInit = { headers: { authorization: 'Bearer user:alice' } };
      return new StreamableHTTPClientTransport(new URL(url), { requestInit });
    },
  ],
];
// Without a session a client has no way to answer a server of 2.x over HTTP.
const CASES = WAYS.flatMap(([way, open]) =>
  LINES.filter((line) => way === 'in memory' || line === 1).map((line) => ({ way, line, open })),
);

async function told(client: Client, name: string): Promise<unknown> {
  const { content } = (await client.callTool({ name, arguments: {} })) as {
    content: { text: string }[];
  };
  const text = content[0]?.text ?? '';
  return text.startsWith('{') || text.startsWith('"') ? JSON.parse(text) : text;
}

describe.each(CASES)('the 1.x client at a $line.x server, $way', ({ line, open }) => {
  test('answers what policy lets the server ask', async () => {
    const heard: string[] = [];
    const client = await connect(await open(line, {}), heard);
    expect(await told(client, 'form')).toEqual({ action: 'accept', content: { account: 'a' } });
    expect(await told(client, 'page')).toEqual({ action: 'accept' });
    expect(await told(client, 'sample')).toMatchObject({ content: { text: 'Hi' } });
    expect(await told(client, 'roots')).toEqual({ roots: [{ uri: 'file:///home' }] });
    expect(await told(client, 'done')).toBe('done');
    await client.ping();
    expect(heard).toEqual([
      FORM.message,
      PAGE.url,
      JSON.stringify(SAMPLE.messages[0]?.content),
      `done ${PAGE.elicitationId}`,
    ]);
    await client.close();
  });

  test('hears nothing of what it does not, and goes on', async () => {
    const decide: Script['decide'] = ({ resource }) =>
      resource.type === 'mcp_server' ? deny({ safe_message: 'Not from here.' }) : allow();
    const heard: string[] = [];
    const client = await connect(await open(line, { decide }), heard);
    for (const name of ['form', 'page', 'sample', 'roots']) {
      expect(await told(client, name)).toContain('Not from here.');
    }
    expect(await told(client, 'done')).toBe('done');
    await client.ping();
    expect(heard).toEqual([]);
    await client.close();
  });
});

test.each(LINES)('a handler that asks outside of its call is answered, SDK %i.x', async (line) => {
  const client = await connect(await WAYS[0]![1](line, {}), []);
  expect(await told(client, 'outside')).toEqual({ roots: [{ uri: 'file:///home' }] });
  await client.close();
});

test.each(LINES)('a handler sends to a page before its tool works, SDK %i.x', async (line) => {
  const [[, open]] = WAYS as [(typeof WAYS)[number]];
  const call = async (script: Script) => {
    const client = await connect(await open(line, script), []);
    const answer = await client
      .callTool({ name: 'required', arguments: {} })
      .catch((e: unknown) => e);
    await client.close();
    return answer;
  };
  expect(await call({})).toMatchObject({ code: -32042, data: { elicitations: [PAGE] } });
  const decide: Script['decide'] = ({ resource }) =>
    resource.type === 'mcp_server' ? deny() : allow();
  expect(await call({ decide })).toMatchObject({ isError: true });
});
