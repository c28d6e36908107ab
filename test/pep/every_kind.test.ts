/** Prompts, resources, templates and completion are shaped and decided as tools are. */
import { describe, expect, test } from '@jest/globals';
import type { EvaluationRequest } from '../../src/contract/types.gen.ts';
import { ALICE } from './support/parts.ts';
import { guarded } from './support/rig.ts';
import { allow, deny, hide, type Script } from './support/scripted.ts';
import { buildShelf } from './support/shelf.ts';
import { LINES } from './support/servers.ts';

/** Whatever is called secret is hidden, in lists and in use. */
const SECRETIVE: Script = {
  decide: ({ resource }) => (resource.id.includes('secret') ? hide() : allow()),
  visible: (id) => !id.includes('secret'),
};

describe.each(LINES)('the lists, SDK %i.x', (line) => {
  test.each([
    ['prompts/list', 'prompts', 'name', ['greet']],
    ['resources/list', 'resources', 'uri', ['file:///open', 'file:///TEXT']],
    ['resources/templates/list', 'resourceTemplates', 'uriTemplate', ['vault://box/{code}']],
  ])('[E-03] %s shows what policy shows', async (method, member, key, expected) => {
    const { wire, parts } = await guarded(SECRETIVE, { line, server: buildShelf });
    const { result } = await wire.askFor(1, method);
    expect(result[member].map((item: Record<string, unknown>) => item[key])).toEqual(expected);
    const [asked] = parts.decisionPoint.discoveries;
    expect(asked?.action).toEqual({ name: method, properties: { verb: 'list' } });
  });

  test.each(['prompts/list', 'resources/list', 'resources/templates/list'])(
    '%s is empty for nobody',
    async (method) => {
      const server = buildShelf;
      const { wire, parts } = await guarded({}, { line, server, identity: () => undefined });
      const [items] = Object.values((await wire.askFor(1, method)).result);
      expect([items, parts.decisionPoint.discoveries]).toEqual([[], []]);
    },
  );
});

const USES: readonly [method: string, params: (name: string) => object, hidden: string][] = [
  ['prompts/get', (name) => ({ name, arguments: { name: 'Ann' } }), 'secret'],
  ['resources/read', (uri) => ({ uri }), 'file:///secret'],
  ['resources/read', (uri) => ({ uri }), 'vault://box/secret'],
  ['resources/subscribe', (uri) => ({ uri }), 'file:///secret'],
  [
    'completion/complete',
    (name) => ({ ref: { type: 'ref/prompt', name }, argument: { name: 'name', value: 'A' } }),
    'secret',
  ],
  [
    'completion/complete',
    (uri) => ({ ref: { type: 'ref/resource', uri }, argument: { name: 'code', value: 'o' } }),
    'vault://secret/{code}',
  ],
];

describe.each(LINES)('[E-04] hidden is unknown, SDK %i.x', (line) => {
  test.each(USES)('%s %# reaches nothing, and tells nothing', async (method, params, hidden) => {
    const { wire, journal } = await guarded(SECRETIVE, { line, server: buildShelf });
    const unheard = hidden.replace('secret', 'unheard');
    const first = await wire.ask(1, method, params(hidden));
    const { wire: other } = await guarded({ decide: () => hide() }, { line, server: buildShelf });
    const second = await other.ask(1, method, params(unheard));
    expect(first.replaceAll(hidden, 'NAME')).toBe(second.replaceAll(unheard, 'NAME'));
    expect(JSON.parse(first).error.code).toBe(-32602);
    expect(journal.calls).toEqual([]);
  });

  test('what is not listed and no template makes does not exist, allowed or not', async () => {
    const { wire, journal } = await guarded({}, { line, server: buildShelf });
    for (const uri of ['file:///other', 'FILE:///secret', 'file:///x/../secret', 'no address']) {
      expect((await wire.askFor(uri, 'resources/read', { uri })).result).toBeUndefined();
    }
    expect(journal.calls).toEqual([]);
  });

  test.each([
    'vault://box/a/../secret',
    'vault://box/%2e%2e/x',
    'vault://box/a%2Fsecret',
    'vault://box/s%65cret',
    'vault://box/%5f',
    'vault://box/caf%c3%a9',
    'vault://box/open%00',
  ])('an address with a second spelling is none: %s', async (uri) => {
    const { wire, journal } = await guarded({}, { line, server: buildShelf });
    expect((await wire.askFor(1, 'resources/read', { uri })).error.code).toBe(-32602);
    expect(journal.calls).toEqual([]);
  });

  test('an address of a template that the server does not know is as a hidden one', async () => {
    const { wire } = await guarded(SECRETIVE, { line, server: buildShelf });
    const say = async (uri: string) =>
      (await wire.ask(1, 'resources/read', { uri })).replaceAll(uri, 'URI');
    expect(await say('vault://box/none')).toBe(await say('vault://box/secret'));
  });
});

describe.each(LINES)('what is allowed, SDK %i.x', (line) => {
  const asked = (requests: readonly EvaluationRequest[]) =>
    requests.map(({ action, resource, context }) => [
      action.name,
      action.properties?.['verb'],
      `${resource.type}:${resource.id}`,
      context?.['arguments'],
    ]);

  test('[E-02] is decided by its method and name, and then done', async () => {
    const { wire, journal, parts } = await guarded({}, { line, server: buildShelf });
    const prompt = { name: 'greet', arguments: { name: 'Ann' } };
    expect((await wire.askFor(1, 'prompts/get', prompt)).result.messages).toHaveLength(1);
    for (const uri of ['file:///open', 'vault://box/open']) {
      expect((await wire.askFor(2, 'resources/read', { uri })).result.contents).toHaveLength(1);
    }
    const ref = { type: 'ref/prompt', name: 'greet' };
    const argument = { name: 'name', value: 'A' };
    const { result } = await wire.askFor(4, 'completion/complete', { ref, argument });
    expect(result.completion.values).toEqual(['Ann', 'Bob']);
    expect(asked(parts.decisionPoint.decisions)).toEqual([
      ['prompts/get', 'get', 'prompt:greet', {}],
      ['resources/read', 'read', 'resource:file:///open', {}],
      ['resources/read', 'read', 'resource:vault://box/open', {}],
      ['completion/complete', 'complete', 'prompt:greet', {}],
    ]);
    expect(journal.calls.map(({ name }) => name)).toEqual([
      'greet',
      'file:///open',
      'vault://box/open',
    ]);
    expect(parts.decisionPoint.reports.map(({ status }) => status)).toEqual(
      Array(4).fill('executed'),
    );
  });

  test('and denied is a JSON-RPC error that explains itself', async () => {
    const { wire, journal } = await guarded({ decide: () => deny() }, { line, server: buildShelf });
    for (const [method, params] of [
      ['prompts/get', { name: 'greet' }],
      ['resources/read', { uri: 'file:///open' }],
      ['resources/subscribe', { uri: 'file:///open' }],
    ] as const) {
      const { error } = await wire.askFor(1, method, params);
      expect([error.code, error.data.reason_code]).toEqual([403, 'CAPABILITY_NOT_ALLOWED']);
    }
    expect(journal.calls).toEqual([]);
  });

  test('of a template only the values whose address may be known are told', async () => {
    const { wire, parts } = await guarded(SECRETIVE, { line, server: buildShelf });
    const ref = { type: 'ref/resource', uri: 'vault://box/{code}' };
    const argument = { name: 'code', value: '' };
    const { result } = await wire.askFor(1, 'completion/complete', { ref, argument });
    expect(result.completion).toEqual({ values: ['open', 'shut'] });
    expect(parts.decisionPoint.discoveries[0]?.evaluations.map((it) => it.resource?.id)).toEqual([
      'vault://box/open',
      'vault://box/secret',
      'vault://box/shut',
    ]);
  });

  test.each([
    ['prompts/get', {}, '/params/name'],
    ['prompts/get', { name: 'greet', arguments: [] }, '/params/arguments'],
    ['resources/read', { uri: 1 }, '/params/uri'],
    ['completion/complete', { ref: { type: 'ref/tool' }, argument: {} }, '/params/argument/name'],
    ['completion/complete', { ref: {}, argument: { name: 'a', value: 'b' } }, '/params/ref'],
    ['completion/complete', { ref: {} }, '/params/argument'],
  ])('%s %j is invalid', async (method, params, pointer) => {
    const { wire, parts } = await guarded({}, { line, server: buildShelf });
    const { error } = await wire.askFor(1, method, params);
    expect([error.code, error.data]).toEqual([-32602, { pointer }]);
    expect(parts.decisionPoint.decisions).toEqual([]);
  });
});

describe.each(LINES)('a mask, SDK %i.x', (line) => {
  const masking = (unstructured: string) => ({
    decide: () =>
      allow({
        obligations: [
          { type: 'mask_fields', paths: ['/ssn'], mode: 'remove', unstructured } as never,
        ],
      }),
  });

  test('reaches the messages of a prompt and the contents of a resource', async () => {
    const { wire, parts } = await guarded(masking('redact'), { line, server: buildShelf });
    const prompt = await wire.askFor(1, 'prompts/get', { name: 'greet', arguments: { name: 'A' } });
    const text = JSON.stringify({ account: 'a-1' });
    expect(prompt.result).toEqual({
      messages: [{ role: 'user', content: { type: 'text', text } }],
    });
    const uri = 'file:///open';
    const read = await wire.askFor(2, 'resources/read', { uri });
    expect(read.result).toEqual({ contents: [{ uri, mimeType: 'application/json', text }] });
    expect(parts.decisionPoint.reports.map(({ masked }) => masked)).toEqual([['/ssn'], ['/ssn']]);
  });

  test.each([
    [
      'redact',
      { contents: [{ uri: 'file:///TEXT', mimeType: 'text/plain', text: '[withheld by policy]' }] },
    ],
    ['drop', { contents: [] }],
  ])('of free text does what it says: %s', async (unstructured, expected) => {
    const { wire } = await guarded(masking(unstructured), { line, server: buildShelf });
    expect((await wire.askFor(1, 'resources/read', { uri: 'file:///TEXT' })).result).toEqual(
      expected,
    );
  });

  test('withholds what it cannot reach', async () => {
    const { wire } = await guarded(masking('refuse'), { line, server: buildShelf });
    const withheld = { reason_code: 'RESULT_WITHHELD' };
    const read = await wire.askFor(1, 'resources/read', { uri: 'file:///TEXT' });
    expect(read.error.data).toMatchObject(withheld);
    const ref = { type: 'ref/prompt', name: 'greet' };
    const argument = { name: 'name', value: 'A' };
    const completed = await wire.askFor(2, 'completion/complete', { ref, argument });
    expect(completed.error.data).toMatchObject(withheld);
  });
});

test('everybody is asked about as who they are', async () => {
  const { wire, parts } = await guarded({}, { server: buildShelf });
  await wire.ask(1, 'resources/read', { uri: 'file:///open' });
  expect(parts.decisionPoint.decisions[0]?.subject).toEqual(ALICE.subject);
});
