/** A decision core over policies that are plain values, and over a log that keeps its entries. */
import { expect } from '@jest/globals';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import type { ActivePolicy, DecisionCore, Evaluator } from '../../src/decision/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import type { EvidenceEntry } from '../../src/evidence/types.ts';
import { NOW } from '../support/decisions.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;

/** Allows everything and shows everything. */
export function plainPolicy(revision: string, changes: Partial<ActivePolicy> = {}): ActivePolicy {
  return {
    identity: { revision, digest: DIGEST },
    projection: { digest: DIGEST, pointers: {} },
    activated_at: NOW,
    unsafe_allow_all: false,
    evaluate: () => true,
    list: (_input, resources) => resources.map((_, position) => position),
    ...changes,
  };
}

/** A policy for each of these tenants and for none of the others. */
interface TenantPolicies extends Evaluator {
  /** Whose policy was asked for. */
  asked: unknown[];
  change(tenant?: string): void;
}

export function tenantPolicies(policies: Record<string, ActivePolicy>): TenantPolicies {
  const listeners = new Set<(tenant?: string) => void>();
  const asked: unknown[] = [];
  return {
    per_tenant: true,
    asked,
    current(tenant = 'no tenant') {
      asked.push(tenant);
      const policy = policies[tenant];
      if (policy) return policy;
      throw new PortcullisError('POLICY_ABSENT', 'there is none');
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    change(tenant) {
      for (const listener of listeners) listener(tenant);
    },
  };
}

interface PlainCore {
  core: DecisionCore;
  entries: EvidenceEntry[];
}

export function plainCore(
  evaluator: Evaluator,
  durable: () => Promise<unknown> = async () => undefined,
): PlainCore {
  const entries: EvidenceEntry[] = [];
  let ids = 0;
  const core = createDecisionCore({
    evaluator,
    evidence: {
      async append(entry) {
        const size = entries.push(entry);
        await durable();
        return size - 1;
      },
      status: () => ({ writable: true, size: entries.length }),
      close: async () => undefined,
    },
    clock: { now_ms: () => Date.parse(NOW) },
    random: { id: () => `id-${(ids += 1)}` },
    settings: {
      ...{ instance: 'one', sep_server: 'default' },
      ...{ batch_items_max: 1000, batch_bytes_max: 1_048_576 },
    },
  });
  return { core, entries };
}

/** The policy that decides for all. */
export function onePolicy(policy: ActivePolicy): Evaluator {
  return { current: () => policy, watch: () => () => undefined };
}

/** Fits the schema of records where the log adds what is its own. */
export function expectRecordable(entry: object): void {
  const record: unknown = JSON.parse(
    JSON.stringify({ v: 1, index: 0, time: NOW, instance: 'one', ...entry }),
  );
  expect(VALIDATORS.evidence_record(record)).toMatchObject({ ok: true });
}
