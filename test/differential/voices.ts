/**
 * The four who judge a request: the scanning router in OPA, the generated one in OPA, the compiled
 * policy in the engine as the decision point runs it, and the oracle.
 */
import { preparePolicyData } from '../../src/bundle/policy_data.ts';
import type { BundleMetadata } from '../../src/contract/types.gen.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/types.ts';
import {
  bundleData,
  compileWasm,
  findings,
  refuseFindings,
  scanningModules,
  staticModules,
} from '../../src/toolchain/build.ts';
import { parsePolicy, type ParsedFiles, type ParsedPolicy } from '../../src/toolchain/policy.ts';
import { gatherSources, readSources, type SourceFile } from '../../src/toolchain/sources.ts';
import { staged } from '../../src/toolchain/stage.ts';
import { tableNames } from '../../src/toolchain/tables.ts';
import { LIBRARY, LIMITS, opa, SILENT } from '../support/toolchain.ts';
import type { Answer, Json, JsonObject, Policy, Request } from './model.ts';
import { judge, judgeApprover, judgeList, type Judgement } from './oracle/decision.ts';
import { DEFAULTS } from '../support/defaults.ts';

/** An answer, or why there is none. */
export type Voice = Answer | { error: string };

export interface Voices {
  opa_scan: Voice;
  opa_static: Voice;
  wasm: Voice;
}

const LIBRARY_FILES = readSources(LIBRARY, DEFAULTS.policy).filter(
  ({ path }) => !path.endsWith('_test.rego'),
);
const parsed: ParsedFiles = new Map();

/** How a policy is put together; a mutant changes it. */
export interface Form {
  library: (files: readonly SourceFile[]) => SourceFile[];
  /** Modules of the compiled policy. */
  compiled: (policy: ParsedPolicy) => SourceFile[];
  /** What the check refuses is not asked. */
  checked: boolean;
}

export const AS_BUILT: Form = {
  library: (files) => [...files],
  compiled: staticModules,
  checked: true,
};

export async function parseFiles(
  files: Record<string, string>,
  form: Form = AS_BUILT,
): Promise<ParsedPolicy> {
  const author = Object.entries(files).map(([path, text]) => ({ path, text }));
  return parsePolicy(opa, gatherSources(author, form.library(LIBRARY_FILES)), parsed);
}

const ENTRYPOINTS = ['mcp/main/decision', 'mcp/approval/eligible', 'mcp/list/visible'] as const;

/** The compiled policy over its data with the index, as activation loads it. */
export async function engineFor(policy: ParsedPolicy, form: Form = AS_BUILT): Promise<Engine> {
  const wasm = await compileWasm(opa, form.compiled(policy), ENTRYPOINTS);
  return loadEngine({ wasm, data: indexedData(policy), limits: LIMITS, log: SILENT });
}

function indexedData(policy: ParsedPolicy): JsonObject {
  const metadata = { tables: tableNames(policy.sources.data) } as BundleMetadata;
  const parts = { own: bundleData(policy), library: true, metadata };
  return preparePolicyData(parts).data as JsonObject;
}

/** What the three engines say to each request. Throws `RULES_REFUSED` where there is no policy. */
export async function askEngines(
  files: Record<string, string>,
  requests: readonly Request[],
  form: Form = AS_BUILT,
): Promise<Voices[]> {
  const policy = await parseFiles(files, form);
  if (form.checked) refuseFindings(await findings(opa, policy, {}));
  const plain = bundleData(policy) as JsonObject;
  const [opa_scan, opa_static, wasm] = await Promise.all([
    askOpa(scanningModules(policy), plain, requests),
    askOpa(form.compiled(policy), indexedData(policy), requests),
    engineFor(policy, form).then((engine) => askWasm(engine, requests)),
  ]);
  return requests.map((_, i) => ({
    opa_scan: opa_scan[i]!,
    opa_static: opa_static[i]!,
    wasm: wasm[i]!,
  }));
}

export function askWasm(engine: Engine, requests: readonly Request[]): Voice[] {
  try {
    return requests.map((request) => askOnce(engine, request));
  } finally {
    engine.close();
  }
}

export function askOnce(engine: Engine, request: Request): Voice {
  const input = JSON.stringify(request);
  try {
    const [decision, eligible, visible] = ENTRYPOINTS.map((entrypoint) =>
      engine.evaluate(entrypoint, input),
    ) as [JsonObject | undefined, Json[], Json[]];
    return ordered({ decision: decision ?? null, eligible, visible });
  } catch (error) {
    return { error: String((error as Error).cause ?? error) };
  }
}

const QUERY = `[answer |
  some request in input.requests
  decisions := [decision | decision := data.mcp.main.decision with input as request]
  eligible := [id | some id in data.mcp.approval.eligible with input as request]
  visible := [i | some i in data.mcp.list.visible with input as request]
  answer := {"decisions": decisions, "eligible": eligible, "visible": visible}
]`;

interface OpaOutput {
  result?: [
    { expressions: [{ value: { decisions: JsonObject[]; eligible: Json[]; visible: Json[] }[] }] },
  ];
  errors?: { code?: string; message: string }[];
}

/** One process for all requests; an error of one ends it, so their halves are then asked apart. */
async function askOpa(
  modules: readonly SourceFile[],
  data: JsonObject,
  requests: readonly Request[],
): Promise<Voice[]> {
  const files = [...modules, { path: 'data.json', text: JSON.stringify(data) }];
  return staged(files, async (cwd) => {
    const ask = async (some: readonly Request[]): Promise<Voice[]> => {
      const output = await evaluate(cwd, some);
      if (output.result) return output.result[0].expressions[0].value.map(answerOf);
      const error = output.errors?.map(({ code, message }) => `${code}: ${message}`).join('; ');
      if (some.length === 1) return [{ error: error ?? 'no result' }];
      const half = Math.ceil(some.length / 2);
      return [...(await ask(some.slice(0, half))), ...(await ask(some.slice(half)))];
    };
    return requests.length === 0 ? [] : ask(requests);
  });
}

async function evaluate(cwd: string, requests: readonly Request[]): Promise<OpaOutput> {
  const flags = ['--format', 'json', '--strict-builtin-errors', '--stdin-input', '--data', '.'];
  const input = JSON.stringify({ requests });
  const { stdout, stderr } = await opa(['eval', ...flags, QUERY], { cwd, input });
  if (stdout === '') throw new Error(`opa eval gave no answer: ${stderr}`);
  return JSON.parse(stdout) as OpaOutput;
}

function answerOf(raw: { decisions: JsonObject[]; eligible: Json[]; visible: Json[] }): Answer {
  const { decisions, eligible, visible } = raw;
  return ordered({ decision: decisions[0] ?? null, eligible, visible });
}

/** Sets come in the order of their hashes from one engine and sorted from the other. */
function ordered({ decision, eligible, visible }: Answer): Answer {
  const { obligations, rules, ...rest } = decision ?? {};
  return {
    decision: decision && { ...rest, obligations: sorted(obligations), rules: sorted(rules) },
    eligible: sorted(eligible),
    visible: sorted(visible),
  };
}

/** In the order of their canonical texts. */
export function sorted(values: Json | undefined): Json[] {
  const texts = ((values ?? []) as Json[]).map((value) => canonical(value));
  return texts.sort().map((text) => JSON.parse(text) as Json);
}

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export interface OracleAnswer {
  decision: Judgement;
  eligible: string[];
  visible: number[];
}

export function askOracle(policy: Policy, request: Request): OracleAnswer {
  return {
    decision: judge(policy, request),
    eligible: judgeApprover(policy, request),
    visible: judgeList(policy, request),
  };
}
