import { describe, expect, test } from '@jest/globals';
import { layPolicyData, readBundle, type PolicyBundle } from '../../src/bundle/bundle.ts';
import type { BundleMetadata, EvidenceRecord } from '../../src/contract/types.gen.ts';
import { activateBundle, recordActivation } from '../../src/decision/activation.ts';
import { chooseEntrypoints } from '../../src/decision/wasm_evaluator.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import type { LoadEngine } from '../../src/engine/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  activate,
  callOf,
  codeOf,
  evidenceOnDisk,
  foreignBundle,
  NOW,
  sceneOf,
  UNWRITABLE,
  CALLER,
} from '../support/decisions.ts';
import { LIMITS, wasmOf } from '../support/policies.ts';
import { describeWithOpa, SILENT } from '../support/toolchain.ts';

const TELLERS = `package tellers
default allow := false
allow if "tellers" in input.subject.properties.groups
`;
const SELF_TEST = { title: 'tellers may', input: { ...callOf() }, outcome: 'allow' } as const;

async function outcomeOf(
  bundle: PolicyBundle,
  unsafe_allow_all = false,
): Promise<{ error: string; record: EvidenceRecord | undefined }> {
  const { evidence, read } = await evidenceOnDisk();
  let error = '';
  try {
    await activate(bundle, evidence, unsafe_allow_all);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'BUNDLE_REFUSED' });
    error = (thrown as Error).message;
  }
  const [record] = await read();
  return { error, record };
}

const tellers = (metadata: Partial<BundleMetadata> = {}): Promise<PolicyBundle> =>
  foreignBundle(TELLERS, ['tellers/allow'], { metadata });

describeWithOpa('the activation of a policy', () => {
  test('is recorded before the policy can decide', async () => {
    const bundle = await tellers({ self_tests: [SELF_TEST] });
    expect(await outcomeOf(bundle)).toEqual({
      error: '',
      record: {
        v: 1,
        index: 0,
        time: expect.any(String),
        instance: 'one',
        kind: 'activation',
        policy: bundle.identity,
        status: 'activated',
      },
    });
  });

  test('is refused and recorded where a self-test gets another outcome', async () => {
    const bundle = await tellers({ self_tests: [SELF_TEST, { ...SELF_TEST, outcome: 'deny' }] });
    expect(await outcomeOf(bundle)).toMatchObject({
      error: 'the self-test `tellers may` expects deny and gets allow',
      record: {
        kind: 'activation',
        status: 'refused',
        detail: 'BUNDLE_REFUSED: the self-test `tellers may` expects deny and gets allow',
      },
    });
  });

  test('a self-test may expect any outcome, with the actor proved by its input', async () => {
    const rego = `package asks
result := {
  "decision": "require_approval",
  "constraints": {"actor_required": "human"},
} if input.resource.id == "transfer"
`;
    const metadata = { self_tests: [{ ...SELF_TEST, outcome: 'require_approval' as const }] };
    expect(await outcomeOf(await foreignBundle(rego, ['asks/result'], { metadata }))).toMatchObject(
      {
        error: '',
      },
    );
  });

  test.each([
    ['allows everything', 'package open\nallow := true\n', 'allow'],
    [
      'asks everybody for an approval',
      'package open\nallow := {"decision": "require_approval"}\n',
      'require_approval',
    ],
    [
      'allows whoever it does not know',
      'package open\nallow if not input.subject.blocked\n',
      'allow',
    ],
  ])('a policy that %s does not deny nobody', async (_title, rego, outcome) => {
    expect(await outcomeOf(await foreignBundle(rego, ['open/allow']))).toMatchObject({
      error: `the policy does not deny nobody: ${outcome}`,
      record: { status: 'refused' },
    });
  });

  test('a policy that breaks off at the probe is refused, though breaking off denies', async () => {
    const rego = 'package odd\nallow := 1 if input.subject.id\nallow := 2 if input.subject.id\n';
    expect(await outcomeOf(await foreignBundle(rego, ['odd/allow']))).toMatchObject({
      error: 'a self-test broke off',
    });
  });

  test('allowing everything takes manifest and setting, and is stamped on records', async () => {
    const open = 'package open\nallow := true\n';
    const marked = await foreignBundle(open, ['open/allow'], {
      metadata: { unsafe_allow_all: true },
    });
    const plain = await foreignBundle(open, ['open/allow']);
    expect(await outcomeOf(marked, false)).toMatchObject({
      error: 'the bundle is marked unsafe_allow_all and policy.unsafe_allow_all is not set',
    });
    expect(await outcomeOf(plain, true)).toMatchObject({
      error: 'the policy does not deny nobody: allow',
    });
    expect((await outcomeOf(marked, true)).record).toMatchObject({
      status: 'activated',
      unsafe_allow_all: true,
    });
    const { core, records } = await sceneOf(marked, { unsafe_allow_all: true });
    await core.evaluation(callOf(), CALLER);
    expect(await records()).toMatchObject([{ decision: true, unsafe_allow_all: true }]);
    expect(core.status()).toMatchObject({ policy: { unsafe_allow_all: true } });
  });

  test('of a refused policy leaves no engine behind, of another one leaves it open', async () => {
    const closed: boolean[] = [];
    const counting: LoadEngine = async (options) => {
      const engine = await loadEngine(options);
      const close = (): void => {
        engine.close();
        closed.push(true);
      };
      const { entrypoints } = engine;
      return { entrypoints, close, evaluate: (name, input) => engine.evaluate(name, input) };
    };
    const entries: object[] = [];
    const append = async (entry: object): Promise<number> => entries.push(entry);
    const parts = {
      loadEngine: counting,
      limits: LIMITS,
      unsafe_allow_all: false,
      clock: { now_ms: () => 0 },
      log: SILENT,
      evidence: { ...UNWRITABLE, append },
    };
    const refused = await tellers({ self_tests: [{ ...SELF_TEST, outcome: 'deny' }] });
    expect(await codeOf(activateBundle(refused, parts))).toBe('BUNDLE_REFUSED');
    expect(closed).toEqual([true]);
    const policy = await activateBundle(await tellers(), parts);
    expect(closed).toEqual([true]);
    policy.close();
    expect(closed).toEqual([true, true]);
    expect(entries.map((entry) => 'detail' in entry)).toEqual([true, false]);
  });

  test('that cannot be recorded does not happen', async () => {
    expect(await codeOf(activate(await tellers(), UNWRITABLE))).toBe('EVIDENCE_UNWRITABLE');
  });

  test('of what is no policy says what is wrong with it', async () => {
    const files = new Map([['policy.wasm', Buffer.from('not WebAssembly')]]);
    const { evidence } = await evidenceOnDisk();
    expect(await codeOf(activate(layPolicyData(readBundle(files)), evidence))).toBe(
      'BUNDLE_INVALID',
    );
  });

  test('reads the entrypoints of the module where the manifest names none', async () => {
    const files = new Map([['policy.wasm', await wasmOf(TELLERS, 'tellers/allow')]]);
    const { evidence } = await evidenceOnDisk();
    const policy = await activate(layPolicyData(readBundle(files)), evidence);
    const { body } = await sceneOf(await tellers()).then(({ core }) =>
      core.evaluation(callOf(), CALLER),
    );
    expect(body).toMatchObject({ decision: true });
    const input = { ...callOf(), context: { time: NOW } };
    expect(policy.evaluate(input)).toBe(true);
  });
});

describe('the record of an activation', () => {
  const POLICY = {
    identity: { revision: 'r1', digest: `sha256:${'0a'.repeat(32)}` },
    unsafe_allow_all: false,
  };

  async function recordOf(error?: unknown, tenant?: string): Promise<object | undefined> {
    const entries: object[] = [];
    const append = async (entry: object): Promise<number> => entries.push(entry);
    const status = error ? 'refused' : 'activated';
    await recordActivation(POLICY, { ...UNWRITABLE, append }, status, error, tenant);
    return entries[0];
  }

  test('names the tenant whose policy it is, and nobody where it is that of all', async () => {
    const plain = { kind: 'activation', policy: POLICY.identity, status: 'activated' };
    expect(await recordOf()).toStrictEqual(plain);
    expect(await recordOf(undefined, 'acme')).toStrictEqual({ ...plain, tenant: 'acme' });
  });

  test('says why the policy was refused, as far as a record can, and no more', async () => {
    const refused = (length: number) => new PortcullisError('BUNDLE_REFUSED', 'x'.repeat(length));
    expect(await recordOf(refused(3))).toMatchObject({ detail: 'BUNDLE_REFUSED: xxx' });
    const cut = `BUNDLE_REFUSED: ${'x'.repeat(1024)}`.slice(0, 1024);
    expect(await recordOf(refused(2000))).toMatchObject({ status: 'refused', detail: cut });
    expect(await recordOf(new TypeError('of a value'))).not.toHaveProperty('detail');
  });
});

const MASK = 'system/log/mask';
const idle = (name: string): string =>
  `the entrypoint \`${name}\` changes no record: the mask alone does`;

test.each<[string[], Partial<BundleMetadata> | undefined, object | string]>([
  [['a/allow'], undefined, { decision: 'a/allow' }],
  [['a/allow'], {}, { decision: 'a/allow' }],
  [['a/allow', 'b/list'], { entrypoint: 'a/allow' }, { decision: 'a/allow' }],
  [
    ['a/allow', 'b/list'],
    { entrypoint: 'a/allow', discovery: 'b/list' },
    { decision: 'a/allow', discovery: 'b/list' },
  ],
  [
    ['a/allow', 'b/list'],
    undefined,
    'name one entrypoint in metadata.portcullis of the bundle: `a/allow`, `b/list`',
  ],
  [['a/allow', MASK], undefined, { decision: 'a/allow', mask: MASK }],
  [['a/allow', 'a/mask'], { mask: 'a/mask' }, { decision: 'a/allow', mask: 'a/mask' }],
  [
    ['a/allow', 'a/mask', MASK],
    { mask: 'a/mask', entrypoint: 'a/allow' },
    { decision: 'a/allow', mask: 'a/mask' },
  ],
  [['a/allow', 'system/log/msk'], undefined, idle('system/log/msk')],
  [['a/allow', MASK, 'system/log/drop'], undefined, idle('system/log/drop')],
  [['a/allow', 'a/mask', 'system/log'], { mask: 'a/mask' }, idle('system/log')],
  [
    ['system/log/hide', 'a/allow'],
    { mask: 'system/log/hide' },
    { decision: 'a/allow', mask: 'system/log/hide' },
  ],
  [['system/logs/allow'], undefined, { decision: 'system/logs/allow' }],
  [['a/system/log/x'], undefined, { decision: 'a/system/log/x' }],
  [['a/allow'], { mask: 'a/mask' }, 'the bundle has no entrypoint `a/mask`'],
  [['a/allow'], { entrypoint: 'a/alow' }, 'the bundle has no entrypoint `a/alow`'],
  [['a/allow'], { discovery: 'b/list' }, 'the bundle has no entrypoint `b/list`'],
  [['a/allow'], { search: { action: 'b/find' } }, 'the bundle has no entrypoint `b/find`'],
])('of %j with %j', (available, metadata, chosen) => {
  const choose = (): object =>
    chooseEntrypoints(available, metadata && { schema_version: 1, ...metadata });
  if (typeof chosen === 'string') {
    expect(choose).toThrow(expect.objectContaining({ code: 'ENGINE_UNSUITED', message: chosen }));
  } else expect(choose()).toEqual({ discovery: undefined, ...chosen });
});
