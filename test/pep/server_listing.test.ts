/** How the guard comes to know what a server has, and when it says that it cannot. */
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import { Catalogue } from '../../src/pep/catalogue.ts';
import { bare, reasonsOf, type Bare } from './support/bare.ts';
import { plainTool } from './support/servers.ts';

const page = (names: unknown[], nextCursor?: unknown) => ({
  result: {
    tools: names.map((name) => plainTool(name as string)),
    ...(nextCursor !== undefined && { nextCursor }),
  },
});
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `tool-${i}`);

/** Whether a call of `name` reaches the server. */
async function reaches({ wire, heard }: Bare, name: string): Promise<boolean> {
  const before = heard.length;
  await wire.call(`call-${wire.sent.length}`, name);
  return heard.length > before;
}

describe('what a server has', () => {
  test('is read once, page by page, and again once it changed', async () => {
    const pages: Record<string, object> = { '': page(['a'], 'p2'), p2: page(['b']) };
    const rig = await bare({}, { list: (cursor = '') => pages[cursor as string] });
    expect([await reaches(rig, 'a'), await reaches(rig, 'b')]).toEqual([true, true]);
    expect(rig.own.map(({ method, params }) => [method, params])).toEqual([
      ['tools/list', {}],
      ['tools/list', { cursor: 'p2' }],
    ]);
    pages['p2'] = page(['c']);
    await rig.say({ method: 'notifications/tools/list_changed' });
    expect([await reaches(rig, 'b'), await reaches(rig, 'c')]).toEqual([false, true]);
    await rig.say({ method: 'notifications/message', params: { level: 'info', data: 'x' } });
    await reaches(rig, 'c');
    expect(rig.own).toHaveLength(4);
  });

  test('is read again where it changes meanwhile, three times at most', async () => {
    for (const changes of [2, 3]) {
      let reads = 0;
      const rig = await bare(
        {},
        {
          list: () => {
            reads += 1;
            if (reads <= changes) {
              void rig.say({ method: 'notifications/tools/list_changed' });
            }
            return page([`read-${reads}`]);
          },
        },
      );
      expect(await reaches(rig, 'read-3')).toBe(changes === 2);
      expect(reads).toBe(3);
      expect(reasonsOf(rig.parts)).toEqual(
        changes === 2 ? [] : [['INTERNAL', expect.stringContaining('does not come to rest')]],
      );
    }
  });

  test('is bounded in its number, which may be reached', async () => {
    const settings = { catalogue_items_max: 3 };
    const fits = await bare({}, { settings, list: () => page(numbered(3)) });
    expect(await reaches(fits, 'tool-2')).toBe(true);
    const over = await bare({}, { settings, list: () => page(numbered(4)) });
    expect(await reaches(over, 'tool-2')).toBe(false);
    expect(reasonsOf(over.parts)).toEqual([
      ['REQUEST_TOO_LARGE', expect.stringContaining('more than 3')],
    ]);
  });

  test('is bounded in its pages, which may be reached', async () => {
    const settings = { catalogue_items_max: 3 };
    const pagesOf = (count: number) => (cursor: unknown) => {
      const at = Number(cursor ?? 0);
      return at === count ? page(['last']) : page([], String(at + 1));
    };
    const fits = await bare({}, { settings, list: pagesOf(3) });
    expect(await reaches(fits, 'last')).toBe(true);
    const over = await bare({}, { settings, list: pagesOf(4) });
    expect(await reaches(over, 'last')).toBe(false);
    expect(reasonsOf(over.parts)).toMatchObject([['REQUEST_TOO_LARGE', expect.any(String)]]);
  });

  test.each<[string, object, string, string]>([
    ['no object', { result: 'all' }, 'REQUEST_INVALID', 'is no object'],
    ['no list', { result: { tools: {} } }, 'REQUEST_INVALID', 'has no array'],
    ['a cursor that is no text', page([], 7), 'REQUEST_INVALID', 'a cursor that is no text'],
    ['a part', { result: { tools: [], resultType: 'task' } }, 'REQUEST_INVALID', 'not complete'],
    ['a cursor again', page([], 'again'), 'REQUEST_INVALID', 'repeats a cursor'],
    ['an error', { error: { code: -32603, message: 'x' } }, 'INTERNAL', 'does not list'],
    ['an error of no shape', { error: 'x' }, 'INTERNAL', 'does not list'],
  ])('is not known where it lists %s', async (_what, answer, code, reason) => {
    const rig = await bare({}, { list: () => answer });
    expect(await reaches(rig, 'balance')).toBe(false);
    expect(reasonsOf(rig.parts)).toEqual([[code, expect.stringContaining(reason)]]);
  });

  test('is not known where it does not list in time, and a late list is nobody’s', async () => {
    const rig = await bare({}, { settings: { catalogue_timeout_ms: 20 }, list: () => undefined });
    expect(await reaches(rig, 'balance')).toBe(false);
    expect(reasonsOf(rig.parts)).toEqual([['INTERNAL', 'the server did not answer the guard']]);
    const before = rig.wire.sent.length;
    await rig.say({ id: rig.own[0]?.id, ...page(['balance']) });
    expect(rig.wire.sent.slice(before)).toEqual([]);
  });

  test('is nothing where it says to the guard that it knows no such method', async () => {
    const error = { code: -32601, message: 'Method not found' };
    const rig = await bare({}, { list: () => ({ error }), answer: () => page(['balance']) });
    expect((await rig.wire.call(1, 'balance')).error).toEqual(error);
    expect((await rig.wire.askFor(2, 'tools/list')).result).toEqual({ tools: [] });
  });

  test('is read again for a page that is not as the guard knows it, and for no other', async () => {
    let title = 'one';
    const listed = () => [
      plainTool('a', { title }),
      plainTool('twice'),
      plainTool('twice'),
      plainTool(''),
    ];
    const rig = await bare({}, { list: () => ({ result: { tools: listed() } }) });
    const shown = async (id: number) => (await rig.wire.askFor(id, 'tools/list')).result.tools;
    expect(await shown(1)).toEqual([plainTool('a', { title })]);
    expect(await shown(2)).toEqual([plainTool('a', { title })]);
    expect(rig.own).toHaveLength(1);
    title = 'two';
    expect(await shown(3)).toEqual([plainTool('a', { title })]);
    expect(rig.own).toHaveLength(2);
  });

  test('is not what a page says twice, nor what the guard cannot find', async () => {
    const answer = () => page(['balance', 'balance', 'unheard']);
    const rig = await bare({}, { answer });
    expect((await rig.wire.askFor(1, 'tools/list')).result).toEqual({ tools: [] });
    expect(rig.parts.decisionPoint.discoveries[0]?.evaluations).toEqual([]);
  });

  test('lets the event loop go while a long list is read', async () => {
    let turns = 0;
    let isCounting = true;
    const count = (): void => {
      turns += 1;
      if (isCounting) setImmediate(count);
    };
    const settings = { catalogue_items_max: 10_000 };
    const rig = await bare(
      {},
      {
        settings,
        list: () => {
          turns = 0;
          return page(numbered(1000));
        },
      },
    );
    setImmediate(count);
    rig.parts.decisionPoint.script.decide = () => {
      isCounting = false;
      return undefined;
    };
    await reaches(rig, 'tool-1');
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  test('counts only under a name that policy can name, and that is no other’s', async () => {
    const longest = 'n'.repeat(2048);
    const names = ['one', '', 7, '\ud800', longest, `${longest}n`, 'twice', 'twice', 'thrice'];
    const tools = [
      ...names.map((name) => plainTool(name as string)),
      ...['thrice', 'thrice'].map((name) => plainTool(name)),
      null,
      'text',
      [],
    ];
    const rig = await bare({}, { list: () => ({ result: { tools } }) });
    const found: string[] = [];
    for (const name of ['one', '', longest, `${longest}n`, 'twice', 'thrice', 'text']) {
      if (await reaches(rig, name)) found.push(name);
    }
    expect(found).toEqual(['one', longest]);
  });
});

describe('a list of the guard’s own', () => {
  const read = (answer: unknown) =>
    new Catalogue('resource_template', 9).current(async () => answer);
  const template = { uriTemplate: 'a://{x}', name: 'a' };

  test('has a digest of its names and definitions', async () => {
    const { digest, supported } = await read({ resourceTemplates: [template] });
    expect([digest, supported]).toEqual([digestOf([['a://{x}', digestOf(template)]]), true]);
    expect((await read({ resourceTemplates: [] })).digest).toBe(digestOf([]));
    expect(await read(undefined)).toMatchObject({ digest: digestOf([]), supported: false });
  });

  test('is named to operators where it cannot be read', async () => {
    await expect(read({ resourceTemplates: [], resultType: 'task' })).rejects.toThrow(
      'the resource template list of the server is not complete',
    );
  });
});
