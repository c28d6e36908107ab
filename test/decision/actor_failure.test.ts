import { expect, test } from '@jest/globals';
import type { TurnedAwayReport } from '../../src/contract/types.gen.ts';
import { embeddedDecisionPoint } from '../../src/decision/embedded.ts';
import { CALLER, codeOf, echoScene } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const REPORT: TurnedAwayReport = {
  status: 'turned_away',
  reason_code: 'TOKEN_EXPIRED',
  source: 'jwt',
  server: 'payments',
  surface: 'ide',
  repeats: 3,
  occurred_at: '2026-11-20T08:00:00Z',
};

describeWithOpa('a caller that a PEP turned away', () => {
  test('has a record by the word of that PEP', async () => {
    const { core, records } = await echoScene();
    const caller = { ...CALLER, tenants: new Set(['acme']) };
    await embeddedDecisionPoint(core, caller, 65_536).turnedAway(REPORT);
    const { status: _, ...told } = REPORT;
    expect(await records()).toMatchObject([
      { kind: 'actor_failure', caller: 'guard', caller_tenants: ['acme'], ...told },
    ]);
  });

  test.each<[string, object, string]>([
    ['with a token', { token: 'x' }, 'REQUEST_INVALID /token'],
    ['with a subject', { subject: { id: 'a' } }, 'REQUEST_INVALID /subject'],
    ['of another source', { source: 'x' }, 'REQUEST_INVALID /source'],
    ['with an evaluation', { evaluation_id: 'id-1' }, 'REQUEST_INVALID /evaluation_id'],
  ])('is not recorded %s', async (_what, more, code) => {
    const { core, records } = await echoScene();
    expect(await codeOf(core.outcome({ ...REPORT, ...more }, CALLER))).toBe(code);
    expect(await records()).toEqual([]);
  });
});
