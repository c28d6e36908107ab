/** Outcomes on their way to a decision point that is away, late, or does not take them. */
import { describe, expect, test } from '@jest/globals';
import { PortcullisError } from '../../src/errors.ts';
import { codeOf } from '../support/decisions.ts';
import { DecisionService, keeping, newDisk, open, readAll, reportOf } from './fixture.ts';

const AWAY = new PortcullisError('DECISION_POINT_UNREACHABLE', 'nobody listens there');
const REFUSED = new PortcullisError('OUTCOME_REFUSED', 'status 400');

const away = (): never => {
  throw AWAY;
};

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `e-${from + i}`);

async function reportAll(
  { outcomes }: Pick<Awaited<ReturnType<typeof keeping>>, 'outcomes'>,
  from: number,
  to: number,
): Promise<string[]> {
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return Promise.all(numbers.map((number) => codeOf(outcomes.report(reportOf(number)))));
}

const countOf = (unreported: readonly { count: number }[]): number =>
  unreported.reduce((sum, { count }) => sum + count, 0);

test('what is reported arrives in its order, and nothing is left', async () => {
  const guarded = await keeping(newDisk());
  await reportAll(guarded, 1, 300);
  await guarded.outcomes.close();
  expect(guarded.service.reported).toEqual(names(1, 300));
  expect(guarded.service.batches.every(({ outcomes }) => outcomes.length <= 100)).toBe(true);
  expect(guarded.log.lines).toEqual([]);
});

test('while the decision point is away all is kept, and arrives when it is back', async () => {
  const guarded = await keeping(newDisk());
  const { service, log } = guarded;
  service.answer = away;
  expect(new Set(await reportAll(guarded, 1, 20))).toEqual(new Set(['no error']));
  let asked = 0;
  await service.until(() => (asked += 1) > 2);
  expect(log.of('warn')).toEqual(['outcomes cannot be delivered yet']);
  service.answer = () => undefined;
  await service.until(() => service.reported.length === 20);
  expect(service.reported).toEqual(names(1, 20));
  await guarded.outcomes.close();
  expect(log.of('info')).toEqual(['outcomes are delivered again']);
});

test('what a killed process kept is delivered by the next one', async () => {
  const files = newDisk();
  const service = new DecisionService();
  service.answer = away;
  const guarded = await keeping(files, {}, service);
  await reportAll(guarded, 1, 5);
  files.restart('kill');
  service.answer = () => undefined;
  const next = await keeping(files, {}, service);
  await next.outcomes.delivered;
  expect(service.reported).toEqual(names(1, 5));
  await next.outcomes.close();
});

test('an answer that is lost is asked for again, with the very same report', async () => {
  const guarded = await keeping(newDisk());
  const { service } = guarded;
  const seen: unknown[] = [];
  service.answer = (batch) => {
    seen.push(batch);
    if (seen.length === 1) throw AWAY;
  };
  await reportAll(guarded, 1, 3);
  await service.until(() => service.reported.length === 3);
  expect(seen[0]).toEqual({ outcomes: names(1, 3).map((_, i) => reportOf(i + 1)) });
  expect(seen[1]).toEqual(seen[0]);
  await guarded.outcomes.close();
});

test('at its end it delivers what it can, and the rest stays', async () => {
  const files = newDisk();
  const guarded = await keeping(files, { outcomes_drain_timeout_ms: 10 });
  const { service, log } = guarded;
  service.answer = () => new Promise(() => undefined);
  await reportAll(guarded, 1, 4);
  await guarded.outcomes.close();
  expect(log.of('warn')).toEqual(['outcomes stay for the next start of the guard']);
  expect(await readAll(await open(files))).toEqual(names(1, 4));
});

test('what was just written is flushed and delivered at the end', async () => {
  const guarded = await keeping(newDisk());
  const written = reportAll(guarded, 1, 4);
  await guarded.outcomes.close();
  expect(new Set(await written)).toEqual(new Set(['no error']));
  expect(guarded.service.reported).toEqual(names(1, 4));
});

test('one that is refused for good stops no other, and is counted as missing', async () => {
  const guarded = await keeping(newDisk());
  const { service, log } = guarded;
  service.answer = ({ outcomes }) => {
    if (outcomes.some((each) => each.evaluation_id === 'e-3')) throw REFUSED;
  };
  await reportAll(guarded, 1, 6);
  await service.until(() => service.unreported.length > 0);
  expect(service.reported).toEqual(['e-1', 'e-2', 'e-4', 'e-5', 'e-6']);
  expect(service.unreported).toEqual([{ id: expect.any(String), count: 1, cause: 'refused' }]);
  expect(log.of('error')).toEqual(['the decision point does not take an outcome']);
  await guarded.outcomes.close();
});

describe('a spool that is full', () => {
  /** Reports until nothing more is kept; how many were. */
  async function fill(guarded: Awaited<ReturnType<typeof keeping>>): Promise<number> {
    let kept = 0;
    while ((await reportAll(guarded, kept + 1, kept + 1))[0] === 'no error') kept += 1;
    return kept;
  }

  test('refuses calls before it is full, and takes the outcomes of those under way', async () => {
    const guarded = await keeping(newDisk());
    const { outcomes, service, log } = guarded;
    service.answer = away;
    let kept = 0;
    const room = (): Promise<string> =>
      codeOf(Promise.resolve().then(() => outcomes.requireRoom()));
    while ((await room()) === 'no error') await reportAll(guarded, (kept += 1), kept);
    expect(log.of('error')).toEqual(['too many outcomes wait for the decision point']);
    expect(new Set(await reportAll(guarded, kept + 1, kept + 50))).toEqual(new Set(['no error']));
    service.answer = () => undefined;
    await service.until(() => service.reported.length === kept + 50);
    expect(await room()).toBe('no error');
    await outcomes.close();
    expect(service.unreported).toEqual([]);
  });

  test('counts what it cannot keep, and tells the decision point how many', async () => {
    const guarded = await keeping(newDisk(), { outcomes_required: false });
    const { outcomes, service } = guarded;
    service.answer = away;
    const kept = await fill(guarded);
    expect(new Set(await reportAll(guarded, kept + 1, kept + 99))).toEqual(
      new Set(['OUTCOMES_UNWRITABLE']),
    );
    outcomes.requireRoom();
    service.answer = () => undefined;
    await service.until(() => countOf(service.unreported) >= 100);
    expect(countOf(service.unreported)).toBe(100);
    expect(new Set(service.unreported.map(({ cause }) => cause))).toEqual(new Set(['full']));
    expect(new Set(service.unreported.map(({ id }) => id)).size).toBe(service.unreported.length);
    expect(service.reported).toEqual(names(1, kept));
    await outcomes.close();
  });

  test('has kept most of the number when its process is killed', async () => {
    const files = newDisk();
    const guarded = await keeping(files, { outcomes_required: false });
    guarded.service.answer = away;
    const kept = await fill(guarded);
    await reportAll(guarded, kept + 1, kept + 99);
    files.restart('kill');
    const { outcomes, service } = await keeping(files);
    await outcomes.delivered;
    expect(countOf(service.unreported)).toBeGreaterThanOrEqual(50);
    expect(countOf(service.unreported)).toBeLessThanOrEqual(100);
    await outcomes.close();
  });
});

describe('a disk that fails', () => {
  test('refuses calls until it works again, and what is under way goes without it', async () => {
    const files = newDisk();
    const guarded = await keeping(files);
    const { outcomes, service, log } = guarded;
    files.failAfter(0, 'EROFS');
    expect(await reportAll(guarded, 1, 1)).toEqual(['no error']);
    expect(service.reported).toEqual(['e-1']);
    expect(() => outcomes.requireRoom()).toThrow(`outcomes cannot be written to`);
    files.restart('kill');
    while (guarded.spool.problem) await new Promise((resolve) => setTimeout(resolve, 10));
    outcomes.requireRoom();
    expect(log.of('info')).toContain('outcomes can be written again');
    await outcomes.close();
  });

  test('again at the very record of what is missing, does not stop the guard', async () => {
    const files = newDisk();
    const guarded = await keeping(files);
    const { outcomes, service } = guarded;
    service.answer = away;
    files.failAfter(0, 'EIO');
    await reportAll(guarded, 1, 3);
    // What is half there is cut off, it is flushed with its folder, and then written.
    files.failAfter(3, 'EIO');
    await service.until(() => files.changes > 3);
    service.answer = () => undefined;
    await service.until(() => countOf(service.unreported) === 3);
    await outcomes.close();
  });

  test('with the decision point away as well, the number is told before it works', async () => {
    const files = newDisk();
    const guarded = await keeping(files);
    const { outcomes, service } = guarded;
    files.failAfter(0, 'ENOSPC');
    service.answer = away;
    expect(await reportAll(guarded, 1, 3)).toEqual(Array(3).fill('OUTCOMES_UNWRITABLE'));
    service.answer = () => undefined;
    await service.until(() => countOf(service.unreported) === 3);
    expect(service.unreported).toEqual([{ id: expect.any(String), count: 3, cause: 'unwritable' }]);
    await outcomes.close();
  });
});
