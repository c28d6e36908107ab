import { expect, test } from '@jest/globals';
import { canonicalJson } from '../../src/contract/canonical.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/types.ts';
import { PortcullisError, type ErrorCode } from '../../src/errors.ts';
import { recordingLogger, type LoggedLine } from '../support/evidence_log.ts';
import { engineOf, LIMITS, wasmOf } from '../support/policies.ts';
import { describeWithOpa, SILENT } from '../support/toolchain.ts';

const SMALL = `package small
allow if input.user == "alice"
limit := data.limits[input.user]
echo := input.text
`;

function codeOf(run: () => unknown): ErrorCode | 'no error' {
  try {
    run();
    return 'no error';
  } catch (error) {
    if (error instanceof PortcullisError) return error.code;
    throw error;
  }
}

function ask(engine: Engine, entrypoint: string, input: object): unknown {
  return engine.evaluate(entrypoint, canonicalJson(input));
}

describeWithOpa('an engine over a small policy', () => {
  const load = (): Promise<Engine> =>
    engineOf(SMALL, ['small/allow', 'small/limit', 'small/echo'], {
      data: { limits: { alice: 5 } },
    });

  test('answers each entrypoint, with undefined where the policy yields nothing', async () => {
    const engine = await load();
    expect(engine.entrypoints).toEqual(['small/allow', 'small/echo', 'small/limit']);
    expect(ask(engine, 'small/allow', { user: 'alice' })).toBe(true);
    expect(ask(engine, 'small/allow', { user: 'bob' })).toBeUndefined();
    expect(ask(engine, 'small/limit', { user: 'alice' })).toBe(5);
  });

  test('an empty object is an input, and a value comes back as it went in', async () => {
    const engine = await load();
    expect(ask(engine, 'small/allow', {})).toBeUndefined();
    const text = 'ключ "quoted" \\ \u0001 😀 é';
    expect(ask(engine, 'small/echo', { text })).toBe(text);
    expect(ask(engine, 'small/echo', { text: false })).toBe(false);
    expect(ask(engine, 'small/echo', { text: null })).toBeNull();
  });

  test('an input larger than the memory so far grows it', async () => {
    const engine = await load();
    const text = 'x'.repeat(900_000);
    expect(ask(engine, 'small/echo', { text })).toBe(text);
  });

  test.each([
    ['bytes', Buffer.from('{"user":"alice"}')],
    ['a parsed value', { user: 'alice' }],
    ['a text that is cut off', '{"user":"alice"'],
    ['a text with something behind it', '{"user":"alice"} x'],
    ['no text', ''],
    ['a falsy value', 'null'],
  ])('%s is not an input', async (_title, input) => {
    const engine = await load();
    expect(codeOf(() => engine.evaluate('small/allow', input as string))).toBe('INTERNAL');
  });

  test('an entrypoint that the module does not have is named', async () => {
    const engine = await load();
    expect(() => engine.evaluate('small/deny', '{}')).toThrow('no entrypoint `small/deny`');
    expect(codeOf(() => engine.evaluate('constructor', '{}'))).toBe('ENGINE_UNSUITED');
  });

  test('a closed engine gives no answer', async () => {
    const engine = await load();
    engine.close();
    expect(codeOf(() => ask(engine, 'small/allow', { user: 'alice' }))).toBe('ENGINE_ABORTED');
  });
});

describeWithOpa('what breaks an evaluation off', () => {
  const CONFLICT = `package odd
verdict := "allow" if input.a
verdict := "deny" if input.b
printed := sprintf("%d", [input.x])
pieces := regex.split("(", input.x)
`;
  const ENTRYPOINTS = ['odd/verdict', 'odd/printed', 'odd/pieces'];

  test('a builtin that throws ends one evaluation only', async () => {
    const engine = await engineOf(CONFLICT, ENTRYPOINTS);
    expect(codeOf(() => ask(engine, 'odd/printed', { x: 'no number' }))).toBe('ENGINE_ABORTED');
    expect(ask(engine, 'odd/printed', { x: 7 })).toBe('7');
    expect(codeOf(() => ask(engine, 'odd/pieces', { x: 'a' }))).toBe('ENGINE_ABORTED');
    expect(ask(engine, 'odd/printed', { x: 8 })).toBe('8');
  });

  test('the log names the input by digest and never quotes it', async () => {
    const lines: LoggedLine[] = [];
    const engine = await engineOf(CONFLICT, ENTRYPOINTS, { log: recordingLogger(lines) });
    codeOf(() => ask(engine, 'odd/printed', { x: 'hunter2' }));
    codeOf(() => ask(engine, 'odd/verdict', { a: 'hunter2', b: true }));
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'an evaluation broke off',
        fields: {
          entrypoint: 'odd/printed',
          input_digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          cause: expect.any(String),
        },
      },
      {
        level: 'warn',
        message: 'an evaluation broke off',
        fields: {
          entrypoint: 'odd/verdict',
          input_digest: expect.stringMatching(/^sha256:/),
          cause: expect.stringContaining('conflict'),
        },
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });
});

describeWithOpa('the memory of an instance', () => {
  const GREEDY = `package greedy
pairs := count({[a, b, c] | some a in input.n; some b in input.n; some c in input.n})
echo := input.text
`;
  const n = Array.from({ length: 40 }, (_, i) => i);

  test('growing to the ceiling ends the evaluation, and the next one is right', async () => {
    const engine = await engineOf(GREEDY, ['greedy/pairs', 'greedy/echo'], {
      limits: { memory_pages_max: 80 },
    });
    for (let i = 0; i < 3; i += 1) {
      expect(codeOf(() => ask(engine, 'greedy/pairs', { n }))).toBe('ENGINE_ABORTED');
      expect(ask(engine, 'greedy/pairs', { n: [1, 2] })).toBe(8);
      expect(ask(engine, 'greedy/echo', { text: 'x' })).toBe('x');
    }
  });

  const replacements = (lines: LoggedLine[]): unknown[] =>
    lines.filter(({ level }) => level === 'debug').map(({ fields }) => fields?.evaluations);

  test('an instance that grew far is replaced, and only that', async () => {
    const lines: LoggedLine[] = [];
    const engine = await engineOf(GREEDY, ['greedy/pairs'], {
      limits: { memory_pages_max: 512 },
      log: recordingLogger(lines),
    });
    for (const size of [2, 40, 2, 2, 40]) {
      expect(ask(engine, 'greedy/pairs', { n: n.slice(0, size) })).toBe(size ** 3);
    }
    expect(replacements(lines)).toEqual([2, 3]);
  });

  test('an instance is replaced after so many evaluations and keeps its data', async () => {
    const lines: LoggedLine[] = [];
    const engine = await engineOf(SMALL, ['small/limit'], {
      data: { limits: { alice: 5 } },
      limits: { evaluations_per_instance_max: 3 },
      log: recordingLogger(lines),
    });
    for (let i = 0; i < 10; i += 1) expect(ask(engine, 'small/limit', { user: 'alice' })).toBe(5);
    expect(replacements(lines)).toEqual([3, 3, 3]);
  });

  test('data beyond the ceiling refuses the policy', async () => {
    const wasm = await wasmOf(SMALL, 'small/limit');
    const data = { limits: Object.fromEntries(n.map((i) => [`user${i}`, 'x'.repeat(100_000)])) };
    const limits = { ...LIMITS, memory_pages_max: 40 };
    await expect(loadEngine({ wasm, data, limits, log: SILENT })).rejects.toMatchObject({
      code: 'ENGINE_UNSUITED',
      message: 'the policy cannot hold its data within memory_pages_max',
    });
  });

  test('a module that asks for more than the ceiling is refused with the number', async () => {
    const wasm = await wasmOf(SMALL, 'small/limit');
    const limits = { ...LIMITS, memory_pages_max: 1 };
    await expect(loadEngine({ wasm, data: {}, limits, log: SILENT })).rejects.toMatchObject({
      code: 'ENGINE_UNSUITED',
      message: expect.stringMatching(/^the policy needs \d+ pages of memory/),
    });
  });
});

describeWithOpa('what is checked when a policy is loaded', () => {
  const load = async (wasm: Uint8Array): Promise<Engine> =>
    loadEngine({ wasm, data: {}, limits: LIMITS, log: SILENT });

  test('a builtin that the host does not have is named', async () => {
    const rego = 'package clock\nnow := time.now_ns()\nid := uuid.rfc4122(input.x)\n';
    await expect(load(await wasmOf(rego, 'clock/now', 'clock/id'))).rejects.toMatchObject({
      code: 'ENGINE_UNSUITED',
      message: 'the policy calls builtins that are not here: time.now_ns, uuid.rfc4122',
    });
  });

  test.each([
    ['text', Buffer.from('package a')],
    ['nothing', new Uint8Array()],
    ['an empty module', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
  ])('%s is no policy', async (_title, wasm) => {
    await expect(load(wasm)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });

  test('a module that is cut off is no policy', async () => {
    const wasm = await wasmOf(SMALL, 'small/allow');
    await expect(load(wasm.subarray(0, wasm.length / 2))).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
    });
  });

  test('a policy of 1,000 packages, which no five pages hold', async () => {
    const modules = Array.from({ length: 1000 }, (_, i) => ({
      path: `rules/r${i}.rego`,
      text: `package rules.area.r${i}\napplies if input.name == "tool:payments/t${i}"\n`,
    }));
    modules.push({
      path: 'main.rego',
      text: 'package main\nhits := [t | some t; data.rules.area[t].applies]\n',
    });
    const { compileWasm } = await import('../../src/toolchain/build.ts');
    const { opa } = await import('../support/toolchain.ts');
    const engine = await load(await compileWasm(opa, modules, ['main/hits']));
    expect(ask(engine, 'main/hits', { name: 'tool:payments/t730' })).toEqual(['r730']);
  });
});
