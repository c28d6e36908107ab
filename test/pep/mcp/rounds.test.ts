/** Handlers of 2.x that ask before they answer, and the official clients of both eras. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client as Client2, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  McpServer,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import { closeAll, ENVELOPE, messageOf, postModern, started } from '../support/http.ts';
import { testParts } from '../support/parts.ts';
import { offering } from '../support/rounds.ts';
import { allow, deny, type Script } from '../support/scripted.ts';

afterEach(closeAll);

const confirm = z.object({ sure: z.boolean() });
const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'Name it' } }];
const CAPABILITIES = { elicitation: { form: {} }, sampling: {} };

/** The tool `deploy {env}` asks the user, then the model, and then does it. */
function build(): McpServer {
  const codec = createRequestStateCodec({ key: 'k'.repeat(32), ttlSeconds: 60 });
  const server = new McpServer(
    { name: 'payments', version: '1' },
    { requestState: { verify: codec.verify } },
  );
  const inputSchema = z.object({ env: z.string() });
  server.registerTool('deploy', { inputSchema }, async ({ env }, ctx) => {
    const given = ctx.mcpReq.inputResponses;
    const name = inputResponse(given, 'name');
    if (name.kind === 'sampling') {
      const state = ctx.mcpReq.requestState();
      return { content: [{ type: 'text', text: JSON.stringify([env, state, name.result]) }] };
    }
    const sure = acceptedContent(given, 'sure', confirm)?.sure === true;
    const asked = sure
      ? { name: inputRequired.createMessage({ messages, maxTokens: 5 }) }
      : { sure: inputRequired.elicit({ message: `To ${env}?`, requestedSchema: confirm }) };
    const requestState = await codec.mint({ env, sure }, ctx);
    return inputRequired({ inputRequests: asked, requestState });
  });
  return server;
}

const elicited = { action: 'accept' as const, content: { sure: true } };
const sampled = {
  role: 'assistant' as const,
  model: 'm',
  content: { type: 'text' as const, text: 'Zephyr' },
};

async function modernClient(url: string, heard: string[]): Promise<Client2> {
  const versionNegotiation = { mode: { pin: '2026-07-28' } };
  const options = { versionNegotiation, capabilities: CAPABILITIES };
  const client = new Client2({ name: 'c', version: '1' }, options);
  client.setRequestHandler('elicitation/create', ({ params }) => {
    heard.push(params.message);
    return elicited;
  });
  client.setRequestHandler('sampling/createMessage', ({ params }) => {
    heard.push(JSON.stringify(params.messages));
    return sampled;
  });
  const requestInit = { headers: { authorization: 'Bearer user:alice' } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

async function legacyClient(script: Script, heard: string[]): Promise<Client1> {
  const client = new Client1({ name: 'c', version: '1' }, { capabilities: CAPABILITIES });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    heard.push(params.message);
    return elicited;
  });
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    heard.push(JSON.stringify(params.messages));
    return sampled;
  });
  const [here, there] = InMemoryTransport.createLinkedPair();
  await createGuard(testParts(script))(build()).connect(there);
  await client.connect(here);
  return client;
}

/** Both eras, from one handler. */
const ERAS: [
  string,
  (script: Script, heard: string[]) => Promise<Pick<Client2, 'callTool' | 'close'>>,
][] = [
  ['2026-07-28', async (script, heard) => modernClient((await started(build, script)).url, heard)],
  ['2025-11-25', async (script, heard) => (await legacyClient(script, heard)) as never],
];
const DEPLOY = { name: 'deploy', arguments: { env: 'production' } };
const SAID = ['To production?', JSON.stringify(messages)];

interface Said {
  content: [{ text: string }];
}

describe.each(ERAS)('a client of %s at a handler that asks', (_era, connect) => {
  test('is asked what policy allows, and given the result', async () => {
    const heard: string[] = [];
    const client = await connect({}, heard);
    const { content } = (await client.callTool(DEPLOY)) as unknown as Said;
    expect(JSON.parse(content[0].text)).toEqual([
      'production',
      { env: 'production', sure: true },
      sampled,
    ]);
    expect(heard).toEqual(SAID);
    await client.close();
  });

  test('is not asked what policy denies, and told why there is no result', async () => {
    const safe_message = 'No model may name it.';
    const decide: Script['decide'] = ({ resource }) =>
      resource.id === 'sampling/createMessage' ? deny({ safe_message }) : allow();
    const heard: string[] = [];
    const client = await connect({ decide }, heard);
    const { isError, content } = await client.callTool(DEPLOY);
    expect([isError, JSON.stringify(content)]).toEqual([
      true,
      expect.stringContaining(safe_message),
    ]);
    expect(heard).toEqual(SAID.slice(0, 1));
    await client.close();
  });
});

describe('the rounds over HTTP', () => {
  const _meta = offering(CAPABILITIES);
  const call = async (url: string, params: object, name = 'user:alice') => {
    const headers = { authorization: `Bearer ${name}` };
    const response = await postModern(url, 'tools/call', { ...DEPLOY, ...params }, headers, _meta);
    return {
      status: response.status,
      ...((await messageOf(response)) as { result?: Round; error?: object }),
    };
  };
  interface Round {
    requestState: string;
    resultType: string;
    isError?: boolean;
  }
  const inputResponses = { sure: elicited };
  const invalid = { code: -32602, message: 'Invalid or expired requestState' };

  test('need no memory: any round goes to any guard with the key, more than once', async () => {
    const { url } = await started(build);
    const { url: replica } = await started(build);
    const { requestState } = (await call(url, {})).result!;
    for (const at of [replica, url, replica]) {
      const { result } = await call(at, { requestState, inputResponses });
      expect(result).toMatchObject({ resultType: 'input_required', inputRequests: { name: {} } });
      expect(result?.requestState).not.toBe(requestState);
    }
  });

  test('belong to who began them, over whatever connection', async () => {
    const { url } = await started(build);
    const { requestState } = (await call(url, {})).result!;
    const stolen = await call(url, { requestState, inputResponses }, 'user:bob');
    expect([stolen.status, stolen.error]).toMatchObject([200, invalid]);
    const { error } = await call(url, { requestState: `${requestState}-TAMPERED`, inputResponses });
    expect(error).toMatchObject(invalid);
  });

  test('are not for a state that the server made, whoever comes by it', async () => {
    const { url } = await started(build);
    const codec = createRequestStateCodec({ key: 'k'.repeat(32), ttlSeconds: 60 });
    const requestState = await codec.mint({ env: 'production', sure: true });
    const { error } = await call(url, { requestState, inputResponses: { name: sampled } });
    expect(error).toMatchObject(invalid);
  });

  test('are not begun by a client that offers nothing', async () => {
    const { url } = await started(build);
    const response = await postModern(url, 'tools/call', DEPLOY, {}, ENVELOPE);
    expect(await messageOf(response)).toMatchObject({ error: { code: -32021 } });
  });
});
