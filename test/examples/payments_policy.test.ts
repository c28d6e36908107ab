import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { parse } from 'yaml';
import { PEOPLE, issueTokens } from '../../examples/payments-server/people.ts';
import { buildServer } from '../../examples/payments-server/server.ts';
import type { Capability, PolicyData } from '../../src/contract/types.gen.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { gatherSources, readSources } from '../../src/toolchain/sources.ts';
import { testPolicy } from '../../src/toolchain/test.ts';
import { LIBRARY, TOOLS, describeWithOpa } from '../support/toolchain.ts';
import { DEFAULTS } from '../support/defaults.ts';

const FOLDER = new URL('../../examples/payments-server/policy/', import.meta.url);
const data = load('data.yaml') as PolicyData;
const client = new Client({ name: 'test', version: '1.0.0' });
let tools: Tool[];

beforeAll(async () => {
  const [here, there] = InMemoryTransport.createLinkedPair();
  await buildServer().connect(there);
  await client.connect(here);
  ({ tools } = await client.listTools());
});

afterAll(() => client.close());

function load(file: string): unknown {
  return parse(readFileSync(new URL(file, FOLDER), 'utf8'));
}

function registered(tool: Tool): Capability {
  return data.registry![`tool:payments/${tool.name}`]!;
}

test('the data and the self-tests fit their schemas', () => {
  expect(VALIDATORS.policy_data(data)).toEqual({ ok: true, value: data });
  const metadata = { schema_version: 1, self_tests: load('self_tests.yaml') };
  expect(VALIDATORS.bundle_metadata(metadata)).toEqual({ ok: true, value: metadata });
});

describeWithOpa('what the data means', () => {
  test('is as its tests say, in OPA and compiled', async () => {
    const author = readSources(fileURLToPath(FOLDER), DEFAULTS.policy);
    const report = await testPolicy(
      TOOLS,
      gatherSources(author, readSources(LIBRARY, DEFAULTS.policy)),
    );
    expect(report.tests.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.passed).toBeGreaterThan(10);
  });
});

test('every tool is registered, and nothing else', () => {
  const names = tools.map(({ name }) => `tool:payments/${name}`);
  expect(Object.keys(data.registry!)).toEqual(names);
});

test('the registry calls a tool as the server does', () => {
  expect(tools.map((tool) => registered(tool).title)).toEqual(tools.map(({ title }) => title));
});

test('argument schemas in the registry name the arguments of the tool', () => {
  const described = tools.filter((tool) => registered(tool).input_schema !== undefined);
  expect(described.map(({ name }) => name)).toEqual(['transfer', 'refund']);
  for (const tool of described) {
    const { properties, required } = registered(tool).input_schema as Tool['inputSchema'];
    expect(Object.keys(properties!)).toEqual(Object.keys(tool.inputSchema.properties!));
    expect(required).toEqual(tool.inputSchema.required);
  }
});

test('what classes of fields name is what a tool gives, field by field', () => {
  const classified = tools.filter((tool) => registered(tool).fields_by_class !== undefined);
  expect(classified).toHaveLength(4);
  for (const tool of classified) {
    const fields = Object.values(registered(tool).fields_by_class!).flat();
    expect(fields.toSorted()).toEqual(leaves(tool.outputSchema!, '').toSorted());
  }
});

test('what is kept from others is optional, so that a masked result still fits its schema', () => {
  for (const tool of tools.filter((each) => registered(each).fields_by_class !== undefined)) {
    const { public: kept = [], ...withheld } = registered(tool).fields_by_class!;
    const required = requiredLeaves(tool.outputSchema!, '');
    expect(kept).toEqual(expect.arrayContaining(required));
    expect(Object.values(withheld).flat()).not.toEqual(expect.arrayContaining([...required]));
  }
});

test('every grant, agent and person of the example is known to the data', () => {
  const known = new Set([...Object.keys(data.registry!), 'tool:payments/*']);
  const named = [
    ...data.grants!.map(({ on }) => on),
    ...Object.values(data.agents!).flatMap(({ may }) => may),
  ];
  expect(named.filter((pattern) => !known.has(pattern))).toEqual([]);
  const clients = Object.values(data.agents!).flatMap((agent) => agent.clients ?? []);
  expect(clients).toEqual(expect.arrayContaining(PEOPLE.map(({ client_id }) => client_id)));
});

test('a token of the example is known for its person, and no other token is', async () => {
  const { issued, verifier } = issueTokens(60);
  const { who, token } = issued[0]!;
  expect(await verifier.verifyAccessToken(token)).toEqual({
    token,
    clientId: who.client_id,
    scopes: [],
    expiresAt: expect.any(Number),
    extra: { sub: who.sub, groups: who.groups, actor_type: who.actor_type },
  });
  await expect(verifier.verifyAccessToken(`${token}x`)).rejects.toThrow('unknown token');
  expect(new Set(issued.map((each) => each.token)).size).toBe(PEOPLE.length);
});

interface Shape {
  type?: string;
  properties?: Record<string, Shape>;
  required?: string[];
  items?: Shape;
}

/** Pointers of all fields that an output schema declares. */
function leaves(
  schema: object,
  path: string,
  only = (_shape: Shape, _name: string) => true,
): string[] {
  const { properties, items } = schema as Shape;
  if (items !== undefined) return leaves(items, `${path}/*`, only);
  if (properties === undefined) return [path];
  return Object.entries(properties)
    .filter(([name]) => only(schema as Shape, name))
    .flatMap(([name, member]) => leaves(member, `${path}/${name}`, only));
}

function requiredLeaves(schema: object, path: string): string[] {
  return leaves(schema, path, (shape, name) => shape.required?.includes(name) ?? false);
}
