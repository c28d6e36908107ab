/** A decision core over real policies, a real engine and a real evidence log. */
import { afterAll, expect } from '@jest/globals';
import { layPolicyData, readBundle, type PolicyBundle } from '../../src/bundle/bundle.ts';
import type { Data } from '../../src/bundle/data_files.ts';
import type {
  BundleMetadata,
  EvaluationRequest,
  EvidenceRecord,
} from '../../src/contract/types.gen.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { activateBundle } from '../../src/decision/activation.ts';
import type { BatchLimits } from '../../src/decision/batch.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import type { RecordSettings } from '../../src/decision/recording.ts';
import type {
  ActivePolicy,
  Caller,
  DecisionCore,
  EvaluationAnswer,
  Scope,
} from '../../src/decision/types.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import { PortcullisError } from '../../src/errors.ts';
import type { EvidenceEntry, EvidenceLog } from '../../src/evidence/types.ts';
import { openLog, readAll, temporaryDirectory } from './evidence_log.ts';
import { LIMITS, wasmOf } from './policies.ts';
import { SILENT } from './toolchain.ts';

const NOW_MS = Date.UTC(2027, 0, 1, 12);
export const NOW = '2027-01-01T12:00:00.000Z';

export const CALLER: Caller = {
  id: 'guard',
  channel: 'embedded',
  scopes: new Set<Scope>(['decide', 'attest:actor']),
};
/** A caller whose word on actors does not count. */
export const STRANGER: Caller = { ...CALLER, id: 'stranger', scopes: new Set<Scope>(['decide']) };

/** The bundle of some Rego that is not the library. */
export async function foreignBundle(
  rego: string,
  entrypoints: string[],
  parts: { metadata?: Partial<BundleMetadata>; data?: Data; overlay?: Data } = {},
): Promise<PolicyBundle> {
  const portcullis = parts.metadata && { schema_version: 1, ...parts.metadata };
  const manifest = {
    revision: 'foreign',
    wasm: entrypoints.map((entrypoint) => ({ entrypoint, module: '/policy.wasm' })),
    metadata: { portcullis },
  };
  const files = new Map<string, Uint8Array>([
    ['policy.wasm', await wasmOf(rego, ...entrypoints)],
    ['.manifest', Buffer.from(JSON.stringify(manifest))],
    ['data.json', Buffer.from(JSON.stringify(parts.data ?? {}))],
  ]);
  return layPolicyData(readBundle(files), parts.overlay);
}

export interface Scene {
  core: DecisionCore;
  policy: ActivePolicy;
  /** Puts another policy in force. */
  change(policy: ActivePolicy): void;
  /** What was recorded since the activation; each record fits its schema. */
  records(): Promise<EvidenceRecord[]>;
}

export function activate(
  bundle: PolicyBundle,
  evidence: EvidenceLog,
  unsafe_allow_all = false,
): Promise<ActivePolicy> {
  const clock = { now_ms: () => NOW_MS };
  const parts = { loadEngine, limits: LIMITS, unsafe_allow_all, clock, log: SILENT, evidence };
  return activateBundle(bundle, parts);
}

const opened: EvidenceLog[] = [];
afterAll(() => Promise.all(opened.map((log) => log.close())));

/** An evidence log on disk, and the way to read it; closed after the tests of the file. */
export async function evidenceOnDisk(): Promise<{
  evidence: EvidenceLog;
  read: () => Promise<EvidenceRecord[]>;
}> {
  const directory = temporaryDirectory();
  const evidence = await openLog(directory, { settings: { record_bytes_max: 4_194_304 } });
  opened.push(evidence);
  return { evidence, read: () => readAll(directory) };
}

/** A core whose ids are `id-1`, `id-2` and so on. */
export async function sceneOf(
  bundle: PolicyBundle,
  settings: Partial<BatchLimits & RecordSettings> & { unsafe_allow_all?: boolean } = {},
): Promise<Scene> {
  const { evidence, read } = await evidenceOnDisk();
  const policy = await activate(bundle, evidence, settings.unsafe_allow_all);
  return sceneWith(policy, evidence, read, settings);
}

export function sceneWith(
  policy: ActivePolicy,
  evidence: EvidenceLog,
  read: () => Promise<EvidenceRecord[]>,
  settings: Partial<BatchLimits & RecordSettings> = {},
): Scene {
  const { batch_items_max = 10_000, batch_bytes_max = 16_777_216, arguments: kept } = settings;
  let active = policy;
  let ids = 0;
  const listeners = new Set<() => void>();
  const core = createDecisionCore({
    evaluator: {
      current: () => active,
      watch: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    evidence,
    clock: { now_ms: () => NOW_MS },
    random: { id: () => `id-${(ids += 1)}` },
    settings: {
      ...{ instance: 'one', sep_server: 'default', batch_items_max, batch_bytes_max },
      ...(kept && { arguments: kept }),
    },
  });
  return {
    core,
    policy,
    change: (next) => {
      active = next;
      for (const listener of listeners) listener();
    },
    records: async () => {
      const records = await read();
      for (const record of records) demandValid(record);
      return records.filter(({ kind }) => kind !== 'activation');
    },
  };
}

function demandValid(record: EvidenceRecord): void {
  const result = VALIDATORS.evidence_record(record);
  if (!result.ok) throw new Error(`a record fails its schema at ${result.fault.pointer}`);
}

/** A log that cannot be written. */
export const UNWRITABLE: EvidenceLog = {
  append: (_entry: EvidenceEntry) =>
    Promise.reject(new PortcullisError('EVIDENCE_UNWRITABLE', 'the disk is full')),
  status: () => ({ writable: false, size: 0, problem: 'the disk is full' }),
  close: () => Promise.resolve(),
};

/** A profiled call of `tool:payments/transfer` by a human teller; `context` is laid over. */
export function callOf(
  context: Partial<EvaluationRequest['context']> = {},
  resource: Partial<EvaluationRequest['resource']> = {},
): EvaluationRequest {
  return {
    subject: {
      type: 'identity',
      id: 'user:alice@example.com',
      properties: { actor_type: 'human', groups: ['tellers'] },
    },
    action: { name: 'tools/call', properties: { verb: 'execute' } },
    resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' }, ...resource },
    context: {
      profile: 'mcp/1',
      phase: 'call',
      environment: { deployment: 'production' },
      ...context,
    },
  };
}

export async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return 'no error';
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    return error.pointer === undefined ? error.code : `${error.code} ${error.pointer}`;
  }
}

/** Yields what the request says it yields, so that each odd result can be had. */
export const ECHO = `package echo
result := input.context.claimed.result if input.context.phase == "call"
result := {"decision": "allow"} if {
  input.context.phase == "discovery"
  not startswith(input.resource.id, "hidden")
}
result := "a conflict" if input.context.claimed.conflict
`;

export async function echoScene(): Promise<Scene> {
  return sceneOf(await foreignBundle(ECHO, ['echo/result']));
}

/** A call whose policy yields `result`. */
export function asking(result: unknown, context = {}, resource = {}): EvaluationRequest {
  return callOf({ claimed: { result }, ...context }, resource);
}

/** The context of an answer, which fits its schema. */
export function contextOf(answer: EvaluationAnswer): Record<string, unknown> {
  expect(VALIDATORS.evaluation_response(answer.body)).toMatchObject({ ok: true });
  return (answer.body as { context: Record<string, unknown> }).context;
}

/** The identity of a foreign policy. */
export const POLICY = { revision: 'foreign', digest: expect.stringMatching(/^sha256:/) };
