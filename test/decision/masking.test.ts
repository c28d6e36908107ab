/** Records of a policy with a mask, over the real engine and a real log. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { layPolicyData, readBundle } from '../../src/bundle/bundle.ts';
import type { RecordSettings } from '../../src/decision/recording.ts';
import type { EvaluationAnswer } from '../../src/decision/types.ts';
import {
  activate,
  CALLER,
  callOf,
  contextOf,
  sceneWith,
  type Scene,
} from '../support/decisions.ts';
import { openLog, readAll, temporaryDirectory } from '../support/evidence_log.ts';
import { builtOf } from '../support/policies.ts';
import { describeWithOpa, policyOf } from '../support/toolchain.ts';

const POLICY = `package echo

result := {"decision": "allow", "reason_code": "FINE", "rules": ["r/one", "r/two"]} if {
	input.subject.id != "portcullis:nobody"
}

list := [[true, "ALLOWED", ["r/one"]] | some _ in input.resources]
`;

interface Masking extends Scene {
  /** All that stands in the folder of the log, after it was closed. */
  content(): Promise<string>;
}

async function masking(mask: string, settings: RecordSettings = {}): Promise<Masking> {
  const rego = `package system.log\n\n${mask}\n`;
  const sources = policyOf({ 'echo.rego': POLICY, 'system/log.rego': rego });
  const options = { entrypoint: 'echo/result', discovery: 'echo/list' };
  const { files } = await builtOf(sources, options);
  const directory = temporaryDirectory();
  const evidence = await openLog(directory, { settings: { record_bytes_max: 4_194_304 } });
  const policy = await activate(layPolicyData(readBundle(files), {}), evidence);
  const scene = sceneWith(policy, evidence, () => readAll(directory), settings);
  return {
    ...scene,
    async content() {
      await evidence.close();
      const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
      return names.map((name) => readFileSync(join(directory, name), 'utf8')).join('');
    },
  };
}

const SECRET = 'canary/secret+1';
const ARGUMENTS = { arguments: { amount: 5, iban: SECRET } };

function ask({ core, policy }: Scene): Promise<EvaluationAnswer> {
  const arguments_projection = policy.projection.digest;
  return core.evaluation(callOf({ ...ARGUMENTS, arguments_projection }), CALLER);
}

function listOf(count: number): object {
  const { subject, context } = callOf();
  return {
    subject,
    action: { name: 'tools/list' },
    context: { ...context, phase: 'discovery' },
    evaluations: Array.from({ length: count }, (_, i) => ({
      resource: {
        type: 'resource',
        id: `file:///${SECRET}/${i}`,
        properties: { server: 'payments' },
      },
    })),
    options: { portcullis: { discovery: { catalogue_digest: `sha256:${'0'.repeat(64)}` } } },
  };
}

describeWithOpa('the mask of a policy', () => {
  test('leaves out of a record what it names, and the record says which paths', async () => {
    const scene = await masking(`mask contains "/input/subject/id"

mask contains {"op": "upsert", "path": "/input/subject/properties/groups", "value": ["some"]}

mask contains "/result/rules/0" if input.result.decision == "allow"`);
    const answer = await ask(scene);
    expect(contextOf(answer)).toMatchObject({ outcome: 'allow' });
    expect(await scene.records()).toMatchObject([
      {
        decision: true,
        reason_code: 'FINE',
        rules: ['r/two'],
        erased: ['/input/subject/id', '/result/rules/0'],
        masked: ['/input/subject/properties/groups'],
        request: { subject: { id: '[masked]', groups: ['some'] }, action: 'tools/call' },
      },
    ]);
    expect(await scene.content()).not.toContain('alice');
  });

  test('sees the event that the decision log of OPA has', async () => {
    const scene =
      await masking(`mask contains concat("", ["/input/x/", name]) if some name, _ in input

mask contains {"op": "upsert", "path": concat("/", ["/input/seen", name]), "value": value} if {
	some name in ["decision_id", "path", "requested_by", "timestamp"]
	value := input[name]
}

mask contains {"op": "upsert", "path": "/input/context/surface", "value": surface} if {
	surface := concat(" ", [input.decision_id, input.path, input.requested_by, input.timestamp])
}`);
    await ask(scene);
    const [record] = await scene.records();
    expect(record?.request?.surface).toBe('id-1 echo/result guard 2027-01-01T12:00:00.000Z');
  });

  test('that is undefined masks nothing, and nothing is said of it', async () => {
    const scene = await masking(
      'mask contains "/input/subject/id" if input.result.decision == "deny"',
    );
    await ask(scene);
    const [record] = await scene.records();
    expect(record).toMatchObject({ request: { subject: { id: 'user:alice@example.com' } } });
    expect(Object.keys(record ?? {})).not.toEqual(expect.arrayContaining(['erased']));
    expect(Object.keys(record ?? {})).not.toEqual(expect.arrayContaining(['masked']));
  });

  test('that takes the whole request leaves a record of the decision', async () => {
    const scene = await masking('mask contains "/input"', { arguments: 'recorded' });
    await ask(scene);
    expect(await scene.records()).toMatchObject([
      { decision: true, request: { subject: { id: '[masked]' }, action: '[masked]' } },
    ]);
  });

  describe('that cannot be followed refuses, and records nothing of the request', () => {
    test.each<[string, string, string]>([
      ['no set', 'mask := "/input/subject/id"', 'it is no set of paths and operations'],
      [
        'no path',
        'mask contains 1',
        'one of its operations is neither a path nor {op, path, value}',
      ],
      ['a path elsewhere', 'mask contains "/labels"', 'one of its paths is neither of /input nor'],
      ['the decision', 'mask contains "/result/decision"', 'it would change the decision itself'],
      ['the result', 'mask contains "/result"', 'it would change the decision itself'],
      [
        'another reason',
        'mask contains {"op": "upsert", "path": "/result/reason_code", "value": "OTHER"}',
        'it would change the decision itself',
      ],
      [
        'a conflict',
        'mask := ["/input/subject/id"] if input.decision_id\n\nmask := [] if input.path',
        'the evaluation broke off',
      ],
    ])('%s', async (_what, mask, problem) => {
      const scene = await masking(mask, { arguments: 'recorded' });
      const answer = await ask(scene);
      expect(contextOf(answer)).toMatchObject({
        outcome: 'deny',
        reason_code: 'POLICY_INDETERMINATE',
      });
      const [record] = await scene.records();
      expect(record).toMatchObject({ kind: 'decision', decision: false });
      expect(record?.detail).toContain(`the mask of the policy cannot be followed: ${problem}`);
      expect(Object.keys(record ?? {})).not.toEqual(expect.arrayContaining(['request']));
      const content = await scene.content();
      expect(content).not.toContain('alice');
      expect(content).not.toContain(SECRET);
    });
  });

  test('holds for each entry of a batch', async () => {
    const scene = await masking('mask contains "/input/subject/id"');
    const { subject, action, resource, context } = callOf(ARGUMENTS);
    const evaluations = [{ resource }, { resource, subject: { ...subject, id: 'user:bob' } }];
    await scene.core.evaluations({ subject, action, context, evaluations }, CALLER);
    const masked = { erased: ['/input/subject/id'], request: { subject: { id: '[masked]' } } };
    expect(await scene.records()).toMatchObject([masked, masked]);
  });

  test('holds for the profile of the SEP, also where no policy was asked', async () => {
    const scene = await masking('mask contains "/input/subject/id"');
    const body = {
      subject: { principal: 'user:alice@example.com', actor_type: 'human', groups: [] },
      capability: { type: 'tool', name: 'transfer' },
      arguments: {},
      environment: {},
    };
    await scene.core.sepDecision({ ...body, action: 'execute' }, CALLER);
    await scene.core.sepDecision({ ...body, action: 'explode' }, CALLER);
    const masked = { profile: 'sep', request: { subject: { id: '[masked]' } } };
    expect(await scene.records()).toMatchObject([masked, masked]);
    expect(await scene.content()).not.toContain('alice');
  });

  describe('of a list', () => {
    const BY_NAME = `mask contains sprintf("/input/resources/%d/id", [i]) if {
	some i, _ in input.input.resources
}

mask contains "/input/subject/id"`;

    test.each([1, 251])('of %d items masks the items too', async (count) => {
      const scene = await masking(BY_NAME);
      const { body } = await scene.core.evaluations(listOf(count), CALLER);
      const { evaluations } = body as { evaluations: { decision: boolean }[] };
      expect(evaluations.filter(({ decision }) => decision)).toHaveLength(count);
      const [record] = await scene.records();
      expect(record?.shown).toEqual(
        Array(count).fill({ type: 'resource', id: '[masked]', ground: 0 }),
      );
      expect(record?.erased).toHaveLength(count + 1);
      expect(record?.erased).toContain(`/input/resources/${count - 1}/id`);
      const content = await scene.content();
      expect(content).not.toContain('alice');
      expect(content).not.toContain(SECRET);
    });

    test.each<[string, string, string]>([
      ['no set', 'mask := true', 'it is no set of paths and operations'],
      ['an item', 'mask contains "/input/resources/0"', 'it removes items of a list'],
      ['what was shown', 'mask contains "/result/0"', 'it would change the decision itself'],
    ])('that cannot be followed withholds everything: %s', async (_what, mask, problem) => {
      const scene = await masking(mask);
      const { body } = await scene.core.evaluations(listOf(2), CALLER);
      const { evaluations } = body as { evaluations: { decision: boolean }[] };
      expect(evaluations.map(({ decision }) => decision)).toEqual([false, false]);
      const [record] = await scene.records();
      expect(record).toMatchObject({ kind: 'discovery', shown: [], withheld: [] });
      expect(record?.detail).toContain(problem);
      expect(await scene.content()).not.toContain(SECRET);
    });
  });

  test('without a list of resources leaves its items without names', async () => {
    const scene = await masking('mask contains "/input/resources"');
    await scene.core.evaluations(listOf(1), CALLER);
    const [record] = await scene.records();
    expect(record?.shown).toEqual([{ type: '[masked]', id: '[masked]', ground: 0 }]);
  });
});

describeWithOpa('the arguments of a call', () => {
  const NOTHING = 'mask contains "/input/none"';
  const IBAN =
    'mask contains {"op": "upsert", "path": "/input/context/arguments/iban", "value": "***"}';

  test('stand in no record, unless that is asked for', async () => {
    for (const settings of [{}, { arguments: 'digest' }] as const) {
      const scene = await masking(NOTHING, settings);
      await ask(scene);
      expect((await scene.records())[0]?.arguments).toBeUndefined();
      expect(await scene.content()).not.toContain(SECRET);
    }
  });

  test('stand in the record of a decision as they were sent, where they are recorded', async () => {
    const scene = await masking(NOTHING, { arguments: 'recorded' });
    await ask(scene);
    await scene.core.evaluations(listOf(1), CALLER);
    const [decision, list] = await scene.records();
    expect(decision?.arguments).toEqual({ amount: 5, iban: SECRET });
    expect(list?.arguments).toBeUndefined();
  });

  test('stand there masked, and nothing else of them', async () => {
    const scene = await masking(IBAN, { arguments: 'recorded' });
    await ask(scene);
    const [record] = await scene.records();
    expect(record).toMatchObject({
      arguments: { amount: 5, iban: '***' },
      masked: ['/input/context/arguments/iban'],
    });
    expect(await scene.content()).not.toContain(SECRET);
  });
});
