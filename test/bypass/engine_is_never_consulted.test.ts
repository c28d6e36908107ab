/** Row 10: an engine stands ready and is not asked, or would say yes to whoever asks. */
import { describe, expect, test } from '@jest/globals';
import type { BundleMetadata, EvidenceRecord } from '../../src/contract/types.gen.ts';
import { codeOf, foreignBundle, sceneOf } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { embedded } from '../pep/support/real.ts';
import { callOf } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { sceneWith } from './support/policy.ts';
import { guardedDoors, guardedHttp, naiveHttp, type Open } from './support/targets.ts';

const attack: Attack = ({ say }) => say(JSON.stringify(callOf('secret')));

describeWithOpa('a policy that allows whoever asks', () => {
  const open = (metadata: Partial<BundleMetadata>) =>
    foreignBundle('package open\nresult := true\n', ['open/result'], { metadata });

  test('[X-09] is asked at its start about what must be denied, and refused', async () => {
    expect(await codeOf(sceneOf(await open({})))).toBe('BUNDLE_REFUSED');
    const marked = await open({ unsafe_allow_all: true });
    expect(await codeOf(sceneOf(marked))).toBe('BUNDLE_REFUSED');
  });

  describe('that was not tested', () => {
    const untested = async () => {
      const bundle = await open({ unsafe_allow_all: true });
      return embedded((await sceneOf(bundle, { unsafe_allow_all: true })).core);
    };
    bypass(attack, {
      held: { 'the library': guardedHttp(1) },
      breached: {
        'a policy that is marked unsafe on both sides': guardedHttp(1, { point: untested }),
      },
    });
  });
});

/** What was done, and which calls were decided on. */
async function workOf(open: Open, records: () => Promise<EvidenceRecord[]>): Promise<object> {
  const { bank, say, close } = await open();
  await say(JSON.stringify(callOf('transfer', { amount: 1 })));
  await say(JSON.stringify(callOf('transfer', { amount: 1_000 })));
  await close();
  const decided = (await records()).filter(({ kind }) => kind === 'decision');
  const allowed = decided.filter(({ outcome }) => outcome === 'allow');
  return { done: bank.done, allowed: allowed.map(({ request }) => request?.resource?.id) };
}

describe('a server with an engine beside it', () => {
  test.each(Object.keys(guardedDoors()))('asks it about all that is done: %s', async (door) => {
    const { core, records } = await sceneWith();
    const open = guardedDoors({ point: () => embedded(core) })[door]!;
    const done = ['transfer', 'balance', 'balance'];
    expect(await workOf(open, records)).toEqual({ done, allowed: done });
  });

  test('can forget to ask it', async () => {
    const { records } = await sceneWith();
    expect(await workOf(naiveHttp(1), records)).toMatchObject({ allowed: [] });
  });
});
