/** The whole outcome table of the SEP's file of roles, asked of the core in the SEP's own words. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { SepDecisionResponse } from '../../../src/contract/types.gen.ts';
import { CALLER } from '../../support/decisions.ts';
import { published } from '../../support/prerequisite.ts';
import { fileOf, rbacScene, sepRequest } from './fixture.ts';
import { OUR_FILE, OUR_NAMES, outcomes, PUBLISHED_NAMES, type Names } from './outcomes.ts';

const VECTORS = join(import.meta.dirname, '../../../../shared/vectors/sep');

/** Asks everything, and tells what came out otherwise than the table says. */
async function surprises(path: string, names: Names): Promise<object[]> {
  const { core } = await rbacScene(path);
  const found: object[] = [];
  for (const { ask, outcome } of outcomes(names)) {
    const { body } = await core.sepDecision(sepRequest(ask), CALLER);
    const { safe_message: _, ...told } = body as SepDecisionResponse;
    if (JSON.stringify(sorted(told)) !== JSON.stringify(sorted(outcome))) {
      found.push({ ask, outcome, told });
    }
  }
  return found;
}

function sorted({ decision, reason_code, constraints = {} }: Partial<SepDecisionResponse>): object {
  return { decision, reason_code, constraints: Object.entries(constraints).map(String).sort() };
}

describe('the outcome table', () => {
  test('asks for thousands of things, of which some are allowed', () => {
    const all = outcomes(OUR_NAMES);
    const count = (decision: string) => all.filter(({ outcome }) => outcome.decision === decision);
    expect(all.length).toBe(4200);
    expect(count('allow').length).toBe(59);
    expect(count('require_approval').length).toBe(8);
  });

  test('R13, R15: is the same for a file of that shape', async () => {
    expect(await surprises(fileOf(OUR_FILE), OUR_NAMES)).toEqual([]);
  });
});

published('the published file of roles', existsSync(VECTORS))('the published file', () => {
  test('R13, R15: has these outcomes', async () => {
    const path = join(VECTORS, 'static_rbac_policy.yaml');
    expect(await surprises(path, PUBLISHED_NAMES)).toEqual([]);
  });
});
