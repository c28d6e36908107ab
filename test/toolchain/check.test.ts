import { expect, test } from '@jest/globals';
import { CHECKS, strictCompile } from '../../src/toolchain/check.ts';
import { checked, describeWithOpa, opa, parsed, policyOf } from '../support/toolchain.ts';
import { parsePolicy } from '../../src/toolchain/policy.ts';
import { REFUSALS } from './refusals/all.ts';
import { SOUND } from './refusals/sound.ts';
import { one } from './refusals/refusal.ts';

describeWithOpa('portcullis check', () => {
  test.each(REFUSALS)('$check: $title', async ({ check, problem, place, bad }) => {
    const policy = await parsed(bad);
    expect(await strictCompile(opa, policy)).toEqual([]);
    const found = await checked(bad);
    const named = found.filter((finding) => finding.check === check);
    expect(named.map((finding) => finding.problem).join('\n')).toContain(problem);
    expect(named[0]?.instead).not.toBe('');
    if (place) expect(named[0]?.place).toBe(place);
    else expect(named[0]?.place).toMatch(/^policy\/[\w./]+(:\d+)?$/u);
  });

  test.each(REFUSALS)('$check accepts the mended policy: $title', async ({ good }) => {
    expect(await checked(good)).toEqual([]);
  });

  test.each(SOUND)('accepts $title', async ({ policy }) => {
    expect(await checked(policy)).toEqual([]);
  });

  test('every check has a policy that it saves', () => {
    const saved = new Set(REFUSALS.map(({ check }) => check));
    expect([...saved].sort()).toEqual([...Object.keys(CHECKS), 'argument_schemas'].sort());
  });

  test('the library itself breaks none', async () => {
    expect(await checked({})).toEqual([]);
  });

  test('text that is not Rego is refused with its place', async () => {
    const sources = policyOf({
      'rules/shop/refund.rego': 'package mcp.rules.shop.refund\n\napplies if {',
    });
    await expect(parsePolicy(opa, sources)).rejects.toMatchObject({
      code: 'RULES_REFUSED',
      message: expect.stringContaining('policy/rules/shop/refund.rego:3'),
    });
  });

  test('what does not compile is reported before the rest', async () => {
    const found = await checked(one('effect := "deny"\n\napplies if unknown_function(1)'));
    expect(found).toEqual([expect.objectContaining({ check: 'opa_check' })]);
  });
});
