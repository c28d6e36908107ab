/** A guarded server of either SDK line whose outcomes can be kept, or cannot. */
import { describe, expect, test } from '@jest/globals';
import { keepingOutcomes } from '../../src/outcomes/kept_decision_point.ts';
import { PortcullisError } from '../../src/errors.ts';
import { before } from '../pep/support/real.ts';
import { ScriptedDecisionPoint } from '../pep/support/scripted.ts';
import { keeping, newDisk, reportOf } from './fixture.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';
const away = (): never => {
  throw new PortcullisError('DECISION_POINT_UNREACHABLE', 'nobody listens there');
};

describe.each([1, 2] as const)('a server of the SDK %i.x', (line) => {
  async function rig(outcomes_required = true) {
    const files = newDisk();
    const kept = await keeping(files, { outcomes_required });
    const point = new ScriptedDecisionPoint();
    const { wire, journal } = await before(keepingOutcomes(point, kept.outcomes), line, []);
    const reason = async (id: number): Promise<unknown> => {
      const { result } = await wire.call(id, 'balance');
      return result.isError ? result._meta[EXTENSION].reason_code : 'executed';
    };
    return { ...kept, files, point, journal, reason };
  }

  test('executes, and its outcome is written before the answer leaves', async () => {
    const { reason, spool, service, outcomes } = await rig();
    service.answer = away;
    expect(await reason(1)).toBe('executed');
    expect(spool.waiting).toBe(1);
    service.answer = () => undefined;
    await outcomes.close();
    expect(service.batches).toEqual([
      { outcomes: [{ evaluation_id: 'e-1', status: 'executed', occurred_at: expect.any(String) }] },
    ]);
  });

  test('refuses before it executes where the disk failed', async () => {
    const { reason, files, outcomes, point, journal, service } = await rig();
    service.answer = away;
    files.failAfter(0, 'ENOSPC');
    await expect(outcomes.report(reportOf(1))).rejects.toMatchObject({
      code: 'OUTCOMES_UNWRITABLE',
    });
    expect(await reason(1)).toBe('POLICY_UNAVAILABLE');
    expect([point.decisions, journal.calls]).toEqual([[], []]);
    await outcomes.close();
  });

  test('refuses before it executes where too much waits', async () => {
    const { reason, spool, outcomes, journal, service } = await rig();
    service.answer = away;
    while (spool.size_bytes <= (65_536 * 7) / 8) await outcomes.report(reportOf(1));
    expect(await reason(1)).toBe('POLICY_UNAVAILABLE');
    expect(journal.calls).toEqual([]);
    await outcomes.close();
  });

  test('executes all the same where that is configured, and counts what is missing', async () => {
    const { reason, files, outcomes, service } = await rig(false);
    service.answer = away;
    files.failAfter(0, 'ENOSPC');
    expect([await reason(1), await reason(2)]).toEqual(['executed', 'executed']);
    service.answer = () => undefined;
    await service.until(() => service.unreported.some(({ count }) => count === 2));
    await outcomes.close();
  });
});
