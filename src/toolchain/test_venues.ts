/** Where tests run: in OPA, over two forms of the policy, and in the compiled policy. */
import { PortcullisError } from '../errors.ts';
import { bundleData, compileWasm, ROUTER, scanningModules, staticModules } from './build.ts';
import type { Opa } from './opa_run.ts';
import { opaErrors, placeOf, type ParsedPolicy } from './policy.ts';
import type { SourceFile } from './sources.ts';
import { staged } from './stage.ts';
import type { TestCase } from './test_cases.ts';

/** How a test went in one place: it held, it did not, or OPA broke off with an error. */
export type Verdict = 'pass' | 'fail' | 'error';

/** Where a test runs. */
export const VENUES = ['opa_scan', 'opa_static', 'wasm'] as const;
export type Venue = (typeof VENUES)[number];

/** Evaluates one entrypoint of a compiled policy; handed in, because the engine is elsewhere. */
export type Evaluate = (entrypoint: string) => unknown;
export type LoadWasm = (
  wasm: Uint8Array,
  data: Record<string, unknown>,
) => Promise<{ evaluate: Evaluate; close: () => void }>;

export interface TestTools {
  opa: Opa;
  load: LoadWasm;
  /** Lays the decision point's index beside the data, as activation does. */
  index: (data: Record<string, unknown>) => Record<string, unknown>;
  progress: (line: string) => void;
}

/** One form of the policy, with the tests that can run over it. */
export interface Variant {
  modules: SourceFile[];
  tests: SourceFile[];
}

export function scanningVariant(policy: ParsedPolicy): Variant {
  return { modules: scanningModules(policy), tests: policy.sources.tests };
}

/** Tests of the scanning router itself have nothing to test where it is replaced. */
export function compiledVariant(policy: ParsedPolicy): Variant {
  const tests = policy.sources.tests.filter(({ path }) => !isOfRouter(path));
  return { modules: staticModules(policy), tests };
}

/** A policy of its own contract has no generated part. */
export function bothAsIs({ sources }: ParsedPolicy): [Variant, Variant] {
  return [sources, sources];
}

export function isOfRouter(file: string): boolean {
  return file === ROUTER.replace('.rego', '_test.rego');
}

export type Verdicts = ReadonlyMap<string, Verdict>;

/** What OPA tells of a test beside its verdict. */
export interface OpaResult {
  verdict: Verdict;
  /** The line that did not hold: `policy/rules/a/b_test.rego:12`. */
  failed_at?: string;
  /** What its `print` calls said. */
  printed?: string;
}

interface OpaTest {
  package: string;
  name: string;
  fail?: boolean;
  skip?: boolean;
  error?: unknown;
  output?: string;
  trace?: { Op: string; Location?: { file: string; row: number } }[];
}

/** Every test by name. Throws `RULES_REFUSED` where OPA runs none of them. */
export async function runInOpa(
  opa: Opa,
  policy: ParsedPolicy,
  variant: Variant,
): Promise<ReadonlyMap<string, OpaResult>> {
  return staged(testFiles(policy, variant), async (cwd) => {
    const { stdout, stderr } = await opa(['test', '--format', 'json', '--var-values', '.'], {
      cwd,
    });
    if (stdout === '') throw new PortcullisError('RULES_REFUSED', opaErrors(stderr));
    const tests = (JSON.parse(stdout) as OpaTest[] | null) ?? [];
    const results = new Map<string, OpaResult>();
    for (const test of tests.filter(({ skip }) => !skip)) {
      const earlier = results.get(nameOf(test));
      if (!earlier || earlier.verdict === 'pass') results.set(nameOf(test), resultOf(test));
    }
    return results;
  });
}

/** A test that stands in several rules is `test_a`, `test_a#01` … to OPA: it passes if all do. */
function nameOf(test: OpaTest): string {
  return `${test.package.replace(/^data\./u, '')}.${test.name.replace(/#\d+$/u, '')}`;
}

function resultOf(test: OpaTest): OpaResult {
  const verdict = verdictOf(test);
  if (verdict === 'pass') return { verdict };
  const place = test.trace?.findLast(
    ({ Op, Location }) => Op === 'Fail' && Location?.file,
  )?.Location;
  const printed = Buffer.from(test.output ?? '', 'base64')
    .toString('utf8')
    .trimEnd();
  return {
    verdict,
    ...(place && { failed_at: placeOf(place) }),
    ...(printed !== '' && { printed }),
  };
}

function verdictOf({ fail, error }: OpaTest): Verdict {
  if (error) return 'error';
  return fail ? 'fail' : 'pass';
}

export function testFiles(policy: ParsedPolicy, { modules, tests }: Variant): SourceFile[] {
  const data = { path: 'data.json', text: JSON.stringify(bundleData(policy)) };
  return [...modules, ...tests, data];
}

export async function runInWasm(
  tools: TestTools,
  policy: ParsedPolicy,
  { modules, tests }: Variant,
  all: readonly TestCase[],
): Promise<Verdicts> {
  const cases = all.filter(({ file }) => tests.some(({ path }) => path === file));
  if (cases.length === 0) return new Map();
  const wasm = await compileWasm(tools.opa, [...modules, ...tests], cases.map(entrypointOf));
  const data = bundleData(policy);
  const plain = await tools.load(wasm, data);
  const indexed = await tools.load(wasm, tools.index(data));
  try {
    return new Map(
      cases.map((test) => {
        const { evaluate } = test.replaces_indexed ? plain : indexed;
        return [test.name, verdictInWasm(evaluate, entrypointOf(test))];
      }),
    );
  } finally {
    plain.close();
    indexed.close();
  }
}

function entrypointOf({ name }: TestCase): string {
  return name.replaceAll('.', '/');
}

function verdictInWasm(evaluate: Evaluate, entrypoint: string): Verdict {
  try {
    return evaluate(entrypoint) === true ? 'pass' : 'fail';
  } catch {
    return 'error';
  }
}
