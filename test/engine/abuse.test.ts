/**
 * Inputs that break an evaluation off, thousands of each kind, over our engine and beside it over a
 * bare instance of the SDK. An abort keeps 64 KiB of the instance's shadow stack, so that a bare
 * instance soon answers nothing any more; ours has to be as good as new.
 */
import { expect, test } from '@jest/globals';
import { loadEngine } from '../../src/engine/engine.ts';
import { loadPolicySync, WebAssembly } from '../../src/engine/webassembly.ts';
import { PortcullisError } from '../../src/errors.ts';
import { engineOf, LIMITS, wasmOf } from '../support/policies.ts';
import { describeWithOpa, SILENT } from '../support/toolchain.ts';

const ABORTS = Number(process.env.ABORTS ?? 5_000);

const REGO = `package odd
verdict := "allow" if input.a
verdict := "deny" if input.b
printed := sprintf("%d", [input.x])
pieces := regex.split(input.by, input.x)
echo := input.name
pairs := count({[a, b, c] | some a in input.n; some b in input.n; some c in input.n})
`;
const RULES = ['verdict', 'printed', 'pieces', 'echo', 'pairs'] as const;
const ENTRYPOINTS = RULES.map((rule) => `odd/${rule}`);

/** Small, so that growing to it takes no time. */
const MEMORY_PAGES_MAX = 12;

interface Kind {
  rule: (typeof RULES)[number];
  hostile: object;
  valid: object;
  right: unknown;
}

const n = Array.from({ length: 14 }, (_, i) => i);

const KINDS: readonly [title: string, Kind][] = [
  [
    'a lone surrogate',
    { rule: 'echo', hostile: { name: '\ud800' }, valid: { name: 'x' }, right: 'x' },
  ],
  [
    'a host builtin that throws',
    { rule: 'printed', hostile: { x: 'no number' }, valid: { x: 7 }, right: '7' },
  ],
  [
    'a pattern that the host cannot compile',
    {
      rule: 'pieces',
      hostile: { by: '(', x: 'a' },
      valid: { by: ',', x: 'a,b' },
      right: ['a', 'b'],
    },
  ],
  [
    'a conflict of rules',
    { rule: 'verdict', hostile: { a: true, b: true }, valid: { a: true }, right: 'allow' },
  ],
  [
    'growth to the ceiling of memory',
    { rule: 'pairs', hostile: { n }, valid: { n: [1, 2] }, right: 8 },
  ],
];

interface Bare {
  evaluate(input: unknown, entrypoint: string): { result: unknown }[];
}

/** An instance as the SDK offers it, with memory for a policy of this size. */
async function bareInstance(wasm: Uint8Array): Promise<Bare> {
  const module = await WebAssembly.compile(wasm);
  const policy: unknown = loadPolicySync(module, { initial: 5, maximum: MEMORY_PAGES_MAX });
  return policy as Bare;
}

/** The right answer, another one, or the fault instead of one. */
function answerOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof PortcullisError) return error.code;
    return error instanceof Error ? error.name : 'a thrown text';
  }
}

describeWithOpa(`${ABORTS} aborts in a row`, () => {
  test.each(KINDS)(
    'by %s: the next answer is right',
    async (_title, kind) => {
      const { rule, hostile, valid, right } = kind;
      const limits = { memory_pages_max: MEMORY_PAGES_MAX };
      const engine = await engineOf(REGO, ENTRYPOINTS, { limits });
      const ask = (input: object): unknown =>
        answerOf(() => engine.evaluate(`odd/${rule}`, JSON.stringify(input)));
      expect(ask(valid)).toEqual(right);
      const outcomes = new Set<unknown>();
      for (let i = 0; i < ABORTS; i += 1) outcomes.add(ask(hostile));
      expect(outcomes).toEqual(new Set(['ENGINE_ABORTED']));
      expect(ask(valid)).toEqual(right);
    },
    120_000,
  );

  test.each(KINDS)('by %s: a bare instance is broken', async (_title, kind) => {
    const { rule, hostile, valid, right } = kind;
    const bare = await bareInstance(await wasmOf(REGO, ...ENTRYPOINTS));
    const ask = (input: object): unknown =>
      answerOf(() => bare.evaluate(input, `odd/${rule}`)[0]?.result);
    expect(ask(valid)).toEqual(right);
    for (let i = 0; i < ABORTS; i += 1) ask(hostile);
    expect(ask(valid)).toBe('RuntimeError');
  });

  test('by a missing builtin: refused by us when loaded, a bare one is broken', async () => {
    const rego = 'package clock\nnow := time.now_ns() if input.ask\nechoed := input.name\n';
    const wasm = await wasmOf(rego, 'clock/now', 'clock/echoed');
    const loading = loadEngine({ wasm, data: {}, limits: LIMITS, log: SILENT });
    await expect(loading).rejects.toMatchObject({
      code: 'ENGINE_UNSUITED',
      message: 'the policy calls builtins that are not here: time.now_ns',
    });
    const bare = await bareInstance(wasm);
    const echoed = (): unknown =>
      answerOf(() => bare.evaluate({ name: 'x' }, 'clock/echoed')[0]?.result);
    expect(echoed()).toBe('x');
    for (let i = 0; i < ABORTS; i += 1) answerOf(() => bare.evaluate({ ask: true }, 'clock/now'));
    expect(echoed()).toBe('RuntimeError');
  });
});
