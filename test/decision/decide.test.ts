/** One decision by policies that fail in the middle of it. */
import { expect, test } from '@jest/globals';
import type { ActivePolicy } from '../../src/decision/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  asking,
  CALLER,
  callOf,
  codeOf,
  contextOf,
  echoScene,
  evidenceOnDisk,
  sceneWith,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

/** A policy is a class, whose methods a spread leaves behind. */
const described = (policy: ActivePolicy): ActivePolicy => ({
  identity: policy.identity,
  projection: policy.projection,
  activated_at: policy.activated_at,
  unsafe_allow_all: false,
  evaluate: (input) => policy.evaluate(input),
  list: (input, resources) => policy.list(input, resources),
});

/** A scene whose policy is the echo, but for these members. */
async function oddScene(odd: Partial<ActivePolicy>): Promise<Scene> {
  const { policy } = await echoScene();
  const { evidence, read } = await evidenceOnDisk();
  return sceneWith({ ...described(policy), ...odd }, evidence, read);
}

const throwing = (error: Error) => (): never => {
  throw error;
};
const TOO_LARGE = new PortcullisError('REQUEST_TOO_LARGE', 'the input is too large');
const ABORTED = new PortcullisError('ENGINE_ABORTED', 'the evaluation broke off');

describeWithOpa('an evaluation that fails', () => {
  test.each<[string, Error, string]>([
    ['in a way of ours', ABORTED, 'ENGINE_ABORTED: the evaluation broke off'],
    ['in any other way', new TypeError('x of undefined'), 'the evaluation failed'],
  ])('%s denies, and says so to operators only', async (_title, error, detail) => {
    const { core, records } = await oddScene({ evaluate: throwing(error) });
    const told = contextOf(await core.evaluation(callOf(), CALLER));
    expect(told).toMatchObject({ outcome: 'deny', reason_code: 'POLICY_INDETERMINATE' });
    expect(await records()).toMatchObject([{ decision: false, detail }]);
  });

  test('a defect of ours is no deny of one entry: the batch is not answered', async () => {
    const defect = new TypeError('a defect');
    const { policy } = await echoScene();
    const odd = { ...described(policy), evaluate: () => true };
    Object.defineProperty(odd, 'projection', { get: throwing(defect) });
    const { core } = sceneWith(odd, (await evidenceOnDisk()).evidence, async () => []);
    const batch = { evaluations: [asking(true)] };
    await expect(core.evaluations(batch, CALLER)).rejects.toBe(defect);
  });
});

describeWithOpa('what a policy denies without a word on its visibility', () => {
  const visibleBy = async (list: ActivePolicy['list']): Promise<unknown> => {
    const { core } = await oddScene({ list });
    return contextOf(await core.evaluation(asking(false), CALLER)).visible;
  };

  test.each<[string, ActivePolicy['list'], boolean]>([
    ['is listed', () => [0], true],
    ['is not listed', () => [], false],
    ['is listed at no position', () => 'all', false],
    ['cannot be listed', throwing(ABORTED), false],
    ['cannot be listed at all', throwing(new Error('x')), false],
  ])('and %s: visible or not', async (_title, list, visible) => {
    expect(await visibleBy(list)).toBe(visible);
  });

  test('and is too large to be listed, is no decision', async () => {
    const { core, records } = await oddScene({ list: throwing(TOO_LARGE) });
    expect(await codeOf(core.evaluation(asking(false), CALLER))).toBe('REQUEST_TOO_LARGE');
    expect(await records()).toEqual([]);
  });
});

describeWithOpa('what a policy says of visibility itself', () => {
  test('counts, whatever its list would show', async () => {
    const { core } = await echoScene();
    const hidden = asking({ decision: 'deny', visible: false });
    expect(contextOf(await core.evaluation(hidden, CALLER))).toMatchObject({
      visible: false,
      reason_code: 'CAPABILITY_NOT_ALLOWED',
    });
  });

  test('that arguments are missing is told of what is hidden too', async () => {
    const { core, records } = await echoScene();
    const stale = { arguments_projection: `sha256:${'1'.repeat(64)}` };
    const hidden = asking({ decision: 'deny', visible: false }, stale);
    expect(contextOf(await core.evaluation(hidden, CALLER))).toMatchObject({
      outcome: 'deny',
      visible: false,
      reason_code: 'ARGUMENTS_INCOMPLETE',
      arguments_projection: { pointers: {} },
    });
    expect(await records()).toMatchObject([{ reason_code: 'ARGUMENTS_INCOMPLETE', rules: [] }]);
  });
});
