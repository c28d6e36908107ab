import { expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import type { DiscoveryRequest, EvaluationRequest, Status } from '../../src/contract/types.gen.ts';
import { embeddedDecisionPoint } from '../../src/decision/embedded.ts';
import {
  CALLER,
  callOf,
  codeOf,
  foreignBundle,
  sceneOf,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { DEFAULTS } from '../support/defaults.ts';

const TELLERS = `package tellers
default allow := false
allow if "tellers" in input.subject.properties.groups
`;
const scene = async (data = {}): Promise<Scene> =>
  sceneOf(await foreignBundle(TELLERS, ['tellers/allow'], { data }));

describeWithOpa('the decision point in the same process', () => {
  test('decides, lists, reports and tells its status', async () => {
    const { core, records } = await scene();
    const point = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
    expect(await point.decide(callOf())).toMatchObject({ decision: true });
    const { subject, context, resource } = callOf();
    const answer = await point.discover({
      subject,
      action: { name: 'tools/list' },
      context: { ...context, phase: 'discovery' },
      evaluations: [{ resource }],
      options: { portcullis: { discovery: { catalogue_digest: digestOf([]) } } },
    });
    expect(answer).toMatchObject({ evaluations: [{ decision: true }] });
    await point.report({ evaluation_id: 'id-1', status: 'executed' });
    expect(await point.describe()).toMatchObject({ ready: true, instance: 'one' });
    expect((await records()).map(({ kind, caller }) => [kind, caller])).toEqual([
      ['decision', 'guard'],
      ['discovery', 'guard'],
      ['outcome', 'guard'],
    ]);
  });

  test('lists the largest catalogue that is allowed', async () => {
    const { core } = await scene();
    const { subject, context } = callOf();
    const definition_digest = digestOf('a definition');
    const evaluations = Array.from({ length: 10_000 }, (_, i) => ({
      resource: {
        type: 'tool' as const,
        id: `a_tool_with_a_name_of_some_length_${i}`,
        properties: { server: 'payments', definition_digest },
      },
    }));
    const answer = await embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max).discover({
      subject,
      action: { name: 'tools/list' },
      context: { ...context, phase: 'discovery' },
      evaluations,
      options: { portcullis: { discovery: { catalogue_digest: digestOf([]) } } },
    });
    expect(answer.evaluations).toHaveLength(10_000);
    expect(answer.evaluations.every(({ decision }) => decision)).toBe(true);
  });

  test('takes the request as it is at that moment', async () => {
    const { core } = await scene();
    const request = callOf();
    const answer = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max).decide(request);
    request.subject.properties = {};
    expect(await answer).toMatchObject({ decision: true });
  });

  const deep = (levels: number): Record<string, unknown> => {
    let value = {};
    for (let i = 0; i < levels; i += 1) value = { a: value };
    return value;
  };
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;

  test.each<[string, Record<string, unknown>, string]>([
    ['a lone surrogate', { text: '\ud800' }, 'REQUEST_INVALID /context/arguments/text'],
    ['a lone surrogate in a name', { '\udc00': 1 }, 'REQUEST_INVALID /context/arguments'],
    [
      'a prototype',
      JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>,
      'REQUEST_INVALID /context/arguments',
    ],
    ['too deep a nesting', deep(100), 'REQUEST_INVALID '],
    ['a nesting beyond the stack', deep(100_000), 'REQUEST_INVALID'],
    ['too long a text', { text: 'x'.repeat(8_400_000) }, 'REQUEST_TOO_LARGE '],
    ['a cycle', cyclic, 'REQUEST_INVALID'],
  ])('%s is refused before it reaches the policy', async (_title, args, code) => {
    const { core, records } = await scene();
    const point = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
    expect(await codeOf(point.decide(callOf({ arguments: args })))).toBe(code);
    expect(await records()).toEqual([]);
    expect(await point.decide(callOf())).toMatchObject({ decision: true });
  });

  test('a refused request says why', async () => {
    const { core } = await scene();
    const point = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
    const whyNot = (args: Record<string, unknown>): Promise<Error> =>
      point.decide(callOf({ arguments: args })).then(
        () => new Error('decided'),
        (error: Error) => error,
      );
    expect((await whyNot({ text: '\ud800' })).message).toBe('the request is lone_surrogate');
    const { message, cause } = await whyNot(cyclic);
    expect(message).toBe('the request has no JSON text');
    expect(cause).toBeInstanceOf(TypeError);
  });

  test('an invalid request is refused with its pointer', async () => {
    const { core } = await scene();
    const request = { ...callOf(), subject: { id: 'x' } } as unknown as EvaluationRequest;
    const point = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
    expect(await codeOf(point.decide(request))).toBe('REQUEST_INVALID /subject/type');
  });

  test('a call that was given up is not decided', async () => {
    const { core, records } = await scene();
    const point = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
    const signal = AbortSignal.abort();
    const { subject, resource } = callOf();
    const list: DiscoveryRequest = {
      subject,
      action: { name: 'tools/list' },
      context: { profile: 'mcp/1', phase: 'discovery' },
      evaluations: [{ resource }],
      options: { portcullis: { discovery: { catalogue_digest: digestOf([]) } } },
    };
    const gone = {
      code: 'DECISION_POINT_UNREACHABLE',
      message: 'the call was given up before it began',
    };
    await expect(point.decide(callOf(), { signal })).rejects.toMatchObject(gone);
    await expect(point.discover(list, { signal })).rejects.toMatchObject(gone);
    expect(await records()).toEqual([]);
    expect(await point.decide(callOf(), {})).toMatchObject({ decision: true });
    expect(await point.discover(list, {})).toMatchObject({ evaluations: [{ decision: true }] });
  });

  test('stops each watch of its core once', async () => {
    const { core } = await scene();
    const stopped: number[] = [];
    let watches = 0;
    const watch = (): (() => void) => {
      const number = (watches += 1);
      return () => stopped.push(number);
    };
    const watched = Object.assign(Object.create(core) as typeof core, { watch });
    const point = embeddedDecisionPoint(watched, CALLER, DEFAULTS.pdp.body_bytes_max);
    const stop = point.watch(() => undefined);
    point.watch(() => undefined);
    stop();
    expect(stopped).toEqual([1]);
    await point.close();
    await point.close();
    expect(stopped).toEqual([1, 2]);
  });

  test('tells of changes until it is closed', async () => {
    const { core, change, policy } = await scene();
    const other = (await scene({ a: 1 })).policy;
    const point = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
    const seen: (string | undefined)[] = [];
    const note = (status: Status): number => seen.push(status.policy?.digest);
    const stop = point.watch(note);
    point.watch(note);
    change(other);
    stop();
    change(policy);
    await point.close();
    change(other);
    expect(seen).toEqual([other.identity.digest, other.identity.digest, policy.identity.digest]);
  });
});
