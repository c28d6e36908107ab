/** Row 22: what was refused looks absent to the caller; for the operator it must not. */
import { describe, expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { embedded } from '../pep/support/real.ts';
import { callOf, requestOf } from './support/bank.ts';
import { sceneWith } from './support/policy.ts';
import { guardedDoors, naiveStdio, type Open, type Said } from './support/targets.ts';

const SAID = [
  callOf('secret', {}, 'hidden'),
  callOf('unheard', {}, 'absent'),
  callOf('transfer', { amount: 1_000 }, 'denied'),
  requestOf('tools/list', {}, 'listed'),
];

/** What an operator can tell afterwards of what was asked. */
async function traces(open: Open, records: () => Promise<EvidenceRecord[]>): Promise<unknown[]> {
  const { say, close } = await open();
  for (const message of SAID) await say(JSON.stringify(message));
  await close();
  return (await records()).flatMap(({ kind, request, visible, reason_code, withheld }: Said) => {
    if (kind === 'discovery') return [['listed', withheld.map(({ id }: Said) => id)]];
    const id: unknown = request?.request_id;
    return kind === 'decision' && !String(id).startsWith('barrier')
      ? [[id, visible, reason_code]]
      : [];
  });
}

describe('what a caller is refused', () => {
  test.each(Object.keys(guardedDoors()))('is told to the operator: %s', async (door) => {
    const { core, records } = await sceneWith();
    const open = guardedDoors({ point: () => embedded(core) })[door]!;
    expect(await traces(open, records)).toEqual([
      ['hidden', false, 'CAPABILITY_NOT_ALLOWED'],
      ['absent', false, 'ENVIRONMENT_BOUNDARY'],
      ['denied', true, 'POLICY_DENIED'],
      ['listed', ['secret']],
    ]);
  });

  test('can be told to nobody', async () => {
    const { records } = await sceneWith();
    const known = new Set([undefined, 'balance', 'transfer']);
    const looks = {
      in: (message: Said): unknown => (known.has(message.params?.name) ? message : undefined),
    };
    expect(await traces(naiveStdio(1, { looks }), records)).toEqual([]);
  });
});
