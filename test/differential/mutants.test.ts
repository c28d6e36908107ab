/** The differential bites: each form of the library that opens is told from the right one. */
import { expect, test } from '@jest/globals';
import { describeWithOpa } from '../support/toolchain.ts';
import { compare } from './differences.ts';
import { caseFor } from './generate/policy.ts';
import { MUTANTS } from './mutants.ts';
import { SEED } from './seeds.ts';

const POLICIES_MAX = 150;

describeWithOpa('a difference is found', () => {
  test.each(Object.entries(MUTANTS))(
    'with %s',
    async (_, form) => {
      let found = 0;
      for (let i = 0; i < POLICIES_MAX && found === 0; i += 1) {
        const { policy, requests } = caseFor(SEED + i);
        const { differences } = await compare(policy, requests, form);
        found = differences.length;
      }
      expect(found).toBeGreaterThan(0);
    },
    300_000,
  );
});
