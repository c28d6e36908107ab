/**
 * `portcullis test`: what was tested is what runs. Every test of the author runs three times: in
 * OPA over the scanning router, in OPA over the generated one, and in the compiled WASM; a test that
 * does not pass everywhere fails, and the report says where.
 */
import {
  ROUTER,
  compileWasm,
  bundleData,
  findings,
  refuseFindings,
  scanningModules,
  staticModules,
  type BuildOptions,
} from './build.ts';
import type { Module } from './ast.ts';
import { walkRule } from './ast.ts';
import type { Opa } from './opa_run.ts';
import { parsePolicy, type ParsedPolicy } from './policy.ts';
import { headName, packagePath, type RuleBase } from './references.ts';
import type { SourceFile, Sources } from './sources.ts';
import { staged } from './stage.ts';

/** How a test went in one place: it held, it did not, or OPA broke off with an error. */
export type Verdict = 'pass' | 'fail' | 'error';

/** Where a test runs. */
export const VENUES = ['opa_scan', 'opa_static', 'wasm'] as const;
export type Venue = (typeof VENUES)[number];

export interface TestResult {
  /** `mcp.rules.payments.refund_test.test_small` */
  name: string;
  file: string;
  row: number;
  verdicts: Partial<Record<Venue, Verdict>>;
  /** Passed wherever it ran. */
  passed: boolean;
  /** OPA and the compiled policy disagree. */
  disagreement: boolean;
}

export interface TestReport {
  tests: TestResult[];
  passed: number;
  failed: number;
  /** Share of the author's lines that the tests evaluate, in per cent; null where a test failed. */
  coverage_percent: number | null;
  /** Lines that no test evaluates, by file. */
  not_covered: Record<string, number[]>;
}

/** Evaluates one entrypoint of a compiled policy over data; handed in, because the engine is elsewhere. */
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

/** Runs all tests of a policy. Throws `RULES_REFUSED` where the policy could not be built. */
export async function testPolicy(
  tools: TestTools,
  sources: Sources,
  options: BuildOptions = {},
): Promise<TestReport> {
  const policy = await parsePolicy(tools.opa, sources);
  refuseFindings(await findings(tools.opa, policy, options));
  const cases = testCases(policy);
  const library = options.entrypoint === undefined;
  const [scanning, compiled] = library
    ? [scanningVariant(policy), compiledVariant(policy)]
    : bothAsIs(policy);
  tools.progress(`running ${cases.length} tests in OPA`);
  const opa_scan = await runInOpa(tools.opa, policy, scanning);
  const opa_static = library ? await runInOpa(tools.opa, policy, compiled) : undefined;
  tools.progress('compiling the tests and running them in WASM');
  const index = library ? tools.index : (data: Record<string, unknown>) => data;
  const wasm = await runInWasm({ ...tools, index }, policy, compiled, cases);
  const tests = cases.map((test) => judge(test, { opa_scan, opa_static, wasm }));
  const passed = tests.filter((test) => test.passed).length;
  const coverage = await measureCoverage(tools.opa, policy, scanning);
  return { tests, passed, failed: tests.length - passed, ...coverage };
}

interface TestCase {
  name: string;
  file: string;
  row: number;
  /** Replaces data that activation would index, so it runs over data without an index. */
  replaces_indexed: boolean;
}

/** The tests in the order of their names; `todo_test_` rules are left out, as in OPA. */
function testCases({ tests, base }: ParsedPolicy): TestCase[] {
  const cases = new Map<string, TestCase>();
  for (const module of tests) {
    const replaces_indexed = replacesIndexed(module, base);
    for (const rule of module.rules ?? []) {
      if (!headName(rule).startsWith('test_')) continue;
      const name = [...packagePath(module).slice(1), headName(rule)].join('.');
      const { file, row } = rule.location;
      if (!cases.has(name)) cases.set(name, { name, file, row, replaces_indexed });
    }
  }
  return [...cases.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Roots whose content the decision point finds through its index. */
const INDEXED = ['agents', 'grants', 'portcullis', 'surfaces'];

function replacesIndexed(module: Module, base: RuleBase): boolean {
  let replaces = false;
  for (const rule of module.rules ?? []) {
    walkRule(rule, {
      expr: (expr) => {
        for (const { target } of expr.with ?? []) {
          const path = base.resolve(module, target) ?? [];
          replaces ||= path[0] === 'data' && (path.length === 1 || INDEXED.includes(path[1] ?? ''));
        }
      },
    });
  }
  return replaces;
}

/** One form of the policy, with the tests that can run over it. */
interface Variant {
  modules: SourceFile[];
  tests: SourceFile[];
}

function scanningVariant(policy: ParsedPolicy): Variant {
  return { modules: scanningModules(policy), tests: policy.sources.tests };
}

/** Tests of the scanning router itself have nothing to test where it is replaced. */
function compiledVariant(policy: ParsedPolicy): Variant {
  const tests = policy.sources.tests.filter(({ path }) => !isOfRouter(path));
  return { modules: staticModules(policy), tests };
}

/** A policy of its own contract has no generated part. */
function bothAsIs({ sources }: ParsedPolicy): [Variant, Variant] {
  return [sources, sources];
}

function isOfRouter(file: string): boolean {
  return file === ROUTER.replace('.rego', '_test.rego');
}

type Verdicts = ReadonlyMap<string, Verdict>;

interface OpaTest {
  package: string;
  name: string;
  fail?: boolean;
  skip?: boolean;
  error?: unknown;
}

async function runInOpa(opa: Opa, policy: ParsedPolicy, variant: Variant): Promise<Verdicts> {
  return staged(testFiles(policy, variant), async (cwd) => {
    const { stdout, stderr } = await opa(['test', '--format', 'json', '.'], { cwd });
    const results = (stdout === '' ? undefined : JSON.parse(stdout)) as OpaTest[] | undefined;
    if (!results)
      refuseFindings([{ check: 'opa_test', place: '', problem: stderr, instead: 'mend it' }]);
    return new Map(
      (results ?? [])
        .filter(({ skip }) => !skip)
        .map((test) => [`${test.package.replace(/^data\./u, '')}.${test.name}`, verdictOf(test)]),
    );
  });
}

function verdictOf({ fail, error }: OpaTest): Verdict {
  if (error) return 'error';
  return fail ? 'fail' : 'pass';
}

function testFiles(policy: ParsedPolicy, { modules, tests }: Variant): SourceFile[] {
  const data = { path: 'data.json', text: JSON.stringify(bundleData(policy)) };
  return [...modules, ...tests, data];
}

async function runInWasm(
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

/** A test passes if it does wherever its file runs. */
function judge(test: TestCase, runs: Record<Venue, Verdicts | undefined>): TestResult {
  const verdicts: Partial<Record<Venue, Verdict>> = {};
  for (const venue of VENUES) {
    const run = runs[venue];
    if (run && !(isOfRouter(test.file) && venue !== 'opa_scan')) {
      verdicts[venue] = run.get(test.name) ?? 'fail';
    }
  }
  const seen = new Set(Object.values(verdicts));
  const { name, file, row } = test;
  return {
    name,
    file,
    row,
    verdicts,
    passed: seen.size === 1 && seen.has('pass'),
    disagreement: seen.size > 1,
  };
}

interface OpaCoverage {
  coverage?: number;
  files?: Record<
    string,
    { covered_lines?: number; not_covered_lines?: number; not_covered?: Range[] }
  >;
}

interface Range {
  start: { row: number };
  end: { row: number };
}

/** Coverage of the subject's own rules; OPA measures none where a test fails. */
async function measureCoverage(
  opa: Opa,
  policy: ParsedPolicy,
  variant: Variant,
): Promise<Pick<TestReport, 'coverage_percent' | 'not_covered'>> {
  return staged(testFiles(policy, variant), async (cwd) => {
    const { code, stdout } = await opa(['test', '--coverage', '--format', 'json', '.'], { cwd });
    if (code !== 0) return { coverage_percent: null, not_covered: {} };
    const { files = {} } = JSON.parse(stdout || '{}') as OpaCoverage;
    const { subject } = policy.sources;
    const own = Object.entries(files).filter(([path]) => isMeasured(path, subject));
    const covered = sum(own.map(([, file]) => file.covered_lines ?? 0));
    const missed = sum(own.map(([, file]) => file.not_covered_lines ?? 0));
    const total = covered + missed;
    return {
      coverage_percent: total === 0 ? 100 : Math.floor((covered / total) * 10_000) / 100,
      not_covered: Object.fromEntries(
        own.flatMap(([path, file]) => uncovered(path, file.not_covered)),
      ),
    };
  });
}

function isMeasured(path: string, subject: string): boolean {
  return path.startsWith(`${subject}/`) && !path.endsWith('_test.rego');
}

function uncovered(path: string, ranges: readonly Range[] = []): [string, number[]][] {
  const rows = ranges.flatMap(({ start, end }) =>
    Array.from({ length: end.row - start.row + 1 }, (_, i) => start.row + i),
  );
  return rows.length > 0 ? [[path, [...new Set(rows)].sort((a, b) => a - b)]] : [];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
