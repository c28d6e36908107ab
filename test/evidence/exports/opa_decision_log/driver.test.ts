/** Where events of the decision log go, and how their connection ends. */
import { expect, test } from '@jest/globals';
import { opaDecisionLog } from '../../../../src/evidence/exports/opa_decision_log/driver.ts';
import { NAMES } from '../worlds.ts';

function openDriver(partition: string | null) {
  const seen = { paths: [] as string[], closed: 0 };
  const driver = opaDecisionLog({
    ...NAMES,
    partition,
    clock: { now_ms: () => 0 },
    receiver: {
      async post({ path }) {
        seen.paths.push(path);
        return { status: 200, retry_after: undefined, body: Buffer.from('') };
      },
      async close() {
        seen.closed += 1;
      },
    },
  });
  return { driver, seen };
}

test.each([
  [null, '/logs'],
  ['payments', '/logs/payments'],
])('events of the partition %j go to %s', async (partition, path) => {
  const { driver, seen } = openDriver(partition);
  await driver.deliver(['{}'], new AbortController().signal);
  expect(seen.paths).toEqual([path]);
});

test('its connection is closed with the export', async () => {
  const { driver, seen } = openDriver(null);
  expect(seen.closed).toBe(0);
  await driver.close();
  expect(seen.closed).toBe(1);
});
