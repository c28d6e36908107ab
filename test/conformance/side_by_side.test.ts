/** `npm run conformance`, with one of its denials; the rest of them run by command. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { denyEach, DENIED_METHODS, faultsOfDenial } from '../../scripts/conformance/deny.ts';
import { FIXTURES } from '../../scripts/conformance/fixtures.ts';
import { buildRunPolicy, type Policy } from '../../scripts/conformance/policy.ts';
import { faultsOf, sideBySide } from '../../scripts/conformance/rows.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { describeWithOpa, opa } from '../support/toolchain.ts';

const SEED = Number(process.env['SEED'] ?? 1);

const quiet = () => undefined;

describeWithOpa('the official suite', () => {
  let policy: Policy;
  beforeAll(async () => {
    policy = await buildRunPolicy(opa);
  });
  afterAll(() => policy.remove());

  test.each(FIXTURES)(
    '[X-02] passes $name, and finds the same behind the guard',
    async (fixture) => {
      const rows = await sideBySide(fixture, fixture.goals, policy, quiet);
      expect(rows.flatMap(faultsOf)).toEqual([]);
      expect(rows.map(({ is_goal }) => is_goal)).toEqual(fixture.goals.map(() => true));
    },
    120_000,
  );

  const method = seededRandom(SEED).pick(DENIED_METHODS);

  test.each(FIXTURES)(
    `fails $name as predicted where ${method} is denied (SEED=${SEED})`,
    async (fixture) => {
      const rows = await denyEach(fixture, [method], policy, quiet);
      expect(rows.flatMap(faultsOfDenial)).toEqual([]);
    },
    120_000,
  );
});
