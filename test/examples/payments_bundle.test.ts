/** The payments policy built, activated, and changed by data alone, as a decision point does it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { layPolicyData, readBundle, type Bundle } from '../../src/bundle/bundle.ts';
import type { PolicyData } from '../../src/contract/types.gen.ts';
import { activateBundle } from '../../src/decision/activation.ts';
import type { WasmPolicy } from '../../src/decision/wasm_evaluator.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { buildPolicy } from '../../src/toolchain/build.ts';
import { gatherSources, readSources } from '../../src/toolchain/sources.ts';
import { openLog, temporaryDirectory } from '../support/evidence_log.ts';
import { LIMITS } from '../support/policies.ts';
import { LIBRARY, SILENT, describeWithOpa, opa } from '../support/toolchain.ts';
import { DEFAULTS } from '../support/defaults.ts';

const FOLDER = fileURLToPath(new URL('../../examples/payments-server/policy', import.meta.url));

describeWithOpa('the payments policy, built', () => {
  let bundle: Bundle;
  let evidence: EvidenceLog;
  let data: PolicyData & { transfer_limits: Record<string, number> };

  beforeAll(async () => {
    const sources = gatherSources(
      readSources(FOLDER, DEFAULTS.policy),
      readSources(LIBRARY, DEFAULTS.policy),
    );
    bundle = readBundle((await buildPolicy(opa, sources)).files);
    evidence = await openLog(temporaryDirectory());
  });

  beforeAll(() => {
    data = parse(readFileSync(`${FOLDER}/data.yaml`, 'utf8')) as typeof data;
  });

  afterAll(() => evidence.close());

  function activate(overlay?: object): Promise<WasmPolicy> {
    return activateBundle(layPolicyData(bundle, overlay as Record<string, unknown> | undefined), {
      loadEngine,
      limits: LIMITS,
      unsafe_allow_all: false,
      clock: { now_ms: () => Date.UTC(2027, 0, 1) },
      log: SILENT,
      evidence,
    });
  }

  test('activates, since its self-tests hold', async () => {
    expect(bundle.manifest.portcullis?.self_tests).toHaveLength(3);
    const policy = await activate();
    expect(bobTransfers(policy, 500)).toMatchObject({ decision: 'allow' });
    policy.close();
  });

  test('sends only the amounts that its grants look at', async () => {
    const policy = await activate();
    expect(policy.projection.pointers).toEqual({
      'tool:payments/refund': ['/amount'],
      'tool:payments/transfer': ['/amount'],
    });
    policy.close();
  });

  test('gives bob another limit by data alone', async () => {
    const before = await activate();
    expect(bobTransfers(before, 501)).toMatchObject({
      decision: 'deny',
      reason_code: 'TRANSFER_LIMIT',
      visible: true,
    });
    const transfer_limits = { ...data.transfer_limits, 'user:bob@example.com': 600 };
    const after = await activate({ transfer_limits });
    expect(bobTransfers(after, 501)).toMatchObject({ decision: 'allow' });
    before.close();
    after.close();
  });

  test('is refused with data under which someone could reset production', async () => {
    const registry = structuredClone(data.registry!);
    registry['tool:payments/reset_sandbox']!.environment = 'production';
    await expect(activate({ registry })).rejects.toMatchObject({
      code: 'BUNDLE_REFUSED',
      message: expect.stringContaining('`Nobody resets anything in production`'),
    });
  });
});

function bobTransfers(policy: WasmPolicy, amount: number): unknown {
  return policy.evaluate({
    subject: { type: 'identity', id: 'user:bob@example.com', properties: { groups: ['tellers'] } },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
    context: {
      profile: 'mcp/1',
      phase: 'call',
      environment: { deployment: 'production' },
      arguments: { amount },
    },
  });
}
