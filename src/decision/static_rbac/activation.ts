/** Makes a file of roles ready to decide: judges it, tries it, records that it is in force. */
import type { Clock } from '../../contract/ambient.ts';
import type { Policy } from '../../contract/types.gen.ts';
import { PortcullisError } from '../../errors.ts';
import type { EvidenceLog } from '../../evidence/types.ts';
import { recordActivation } from '../activation.ts';
import { testPolicy } from '../self_test.ts';
import type { MethodTable } from './methods.ts';
import { readRbac } from './model.ts';
import { StaticRbacPolicy } from './policy.ts';

/** A file as it was read. */
export interface RbacCandidate {
  identity: Required<Policy>;
  value: unknown;
  /** Where a JSON Pointer into the value stands, for a message. */
  place(pointer: string): string;
}

export interface RbacActivationParts {
  methods: MethodTable;
  clock: Clock;
  evidence: EvidenceLog;
}

/**
 * Rejects with `RBAC_INVALID` or `BUNDLE_REFUSED` where the file must not decide, and with
 * `EVIDENCE_UNWRITABLE` where its activation cannot be recorded.
 */
export async function activateRbac(
  { identity, value, place }: RbacCandidate,
  { methods, clock, evidence }: RbacActivationParts,
): Promise<StaticRbacPolicy> {
  const result = readRbac(value, methods);
  if (!result.ok) {
    const { pointer, problem } = result.fault;
    const at = pointer === '' ? '' : ` at \`${pointer}\``;
    throw new PortcullisError('RBAC_INVALID', `${place(pointer)}:${at} ${problem}`, { pointer });
  }
  const activated_at = new Date(clock.now_ms()).toISOString();
  const policy = new StaticRbacPolicy({ rbac: result.value, methods, identity, activated_at });
  try {
    await testPolicy(policy, undefined, activated_at);
  } catch (error) {
    await recordActivation(policy, evidence, 'refused', error);
    throw error;
  }
  await recordActivation(policy, evidence, 'activated');
  return policy;
}
