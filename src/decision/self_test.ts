/**
 * What a policy has to show before it decides anything (requirement X-09): nobody may do nothing
 * with it, and it gives the outcomes that its bundle promises.
 */
import type { BundleMetadata, Outcome } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { demandActor } from './constraints.ts';
import { members, type CompleteInput } from './request.ts';
import { judgeResult } from './result.ts';
import type { ActivePolicy } from './types.ts';

/** Reserved names that no deployment uses: whatever allows this allows everything. */
const NOBODY = 'portcullis:nobody';
const NOTHING = {
  type: 'tool',
  id: 'portcullis:nothing',
  properties: { server: 'portcullis' },
} as const;

/**
 * Runs the probe and the self-tests of the bundle. Throws `BUNDLE_REFUSED` naming the first that
 * fails. Only a policy marked `unsafe_allow_all` (in its manifest and in the settings) may let
 * nobody in.
 */
export async function testPolicy(
  policy: ActivePolicy,
  self_tests: BundleMetadata['self_tests'],
  time: string,
): Promise<void> {
  if (!policy.unsafe_allow_all) await refuseOpenPolicy(policy, time);
  for (const { title, input, outcome } of self_tests ?? []) {
    const found = await outcomeOf(policy, testInput(input, time));
    if (found === outcome) continue;
    const message = `the self-test \`${title}\` expects ${outcome} and gets ${found}`;
    throw new PortcullisError('BUNDLE_REFUSED', message);
  }
}

/** What nobody would ask, and everybody must be denied; `time` is RFC 3339, UTC. */
export function nobodyAsks(time: string): CompleteInput {
  return {
    subject: { type: 'identity', id: NOBODY },
    action: { name: 'tools/call', properties: { verb: 'execute' } },
    resource: NOTHING,
    context: { profile: 'mcp/1', phase: 'call', arguments: {}, time },
  };
}

async function refuseOpenPolicy(policy: ActivePolicy, time: string): Promise<void> {
  const outcome = await outcomeOf(policy, nobodyAsks(time));
  if (outcome === 'deny') return;
  throw new PortcullisError('BUNDLE_REFUSED', `the policy does not deny nobody: ${outcome}`);
}

/** A policy that breaks off here would break off later; a deny by accident is no deny. */
async function outcomeOf(policy: ActivePolicy, input: CompleteInput): Promise<Outcome> {
  try {
    return demandActor(judgeResult(await policy.evaluate(input)), input).outcome;
  } catch (cause) {
    throw new PortcullisError('BUNDLE_REFUSED', 'a self-test broke off', { cause });
  }
}

function testInput(input: Record<string, unknown>, time: string): CompleteInput {
  return {
    subject: members(input.subject),
    action: members(input.action),
    resource: members(input.resource),
    context: { time, ...members(input.context) },
  };
}
