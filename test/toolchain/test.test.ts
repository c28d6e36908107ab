import { expect, test } from '@jest/globals';
import { gatherSources } from '../../src/toolchain/sources.ts';
import { testPolicy } from '../../src/toolchain/test.ts';
import { describeWithOpa, policyOf, TOOLS } from '../support/toolchain.ts';
import { lines, one } from './refusals/refusal.ts';

const RULE = one(`effect := "limit"

applies if request.name == "tool:shop/refund"

default within := false

within if compare.at_most(request.arguments.amount, 5)

_unused if data.never`);

function tests(body: string): Record<string, string> {
  const head = ['package mcp.rules.shop.refund_test', 'import data.mcp.rules.shop.refund'];
  const text = [...head, body].join('\n\n');
  return { ...RULE, 'rules/shop/refund_test.rego': text };
}

const SMALL = `test_small if refund.within with input as {"context": {"arguments": {"amount": 5}}}`;

describeWithOpa('portcullis test', () => {
  test('[X-18] a test runs in OPA over both routers, and in the compiled policy', async () => {
    const report = await testPolicy(TOOLS, policyOf(tests(SMALL)));
    expect(report.tests).toEqual([
      {
        name: 'mcp.rules.shop.refund_test.test_small',
        file: 'policy/rules/shop/refund_test.rego',
        row: 5,
        verdicts: { opa_scan: 'pass', opa_static: 'pass', wasm: 'pass' },
        passed: true,
        disagreement: false,
      },
    ]);
    expect(report).toMatchObject({ passed: 1, failed: 0 });
  });

  test('lines that no test evaluates are named', async () => {
    const report = await testPolicy(TOOLS, policyOf(tests(SMALL)));
    expect(report.not_covered).toEqual({ 'policy/rules/shop/refund.rego': [6, 8, 10, 14] });
    expect(report.coverage_percent).toBeLessThan(100);
  });

  test('a test that fails everywhere fails without a disagreement', async () => {
    const report = await testPolicy(
      TOOLS,
      policyOf(tests('test_never if refund.within with input as {}')),
    );
    expect(report.tests[0]).toMatchObject({
      verdicts: { opa_scan: 'fail', opa_static: 'fail', wasm: 'fail' },
      passed: false,
      disagreement: false,
    });
    expect(report).toMatchObject({ passed: 0, failed: 1 });
  });

  test('a test that stands in several rules passes if all of them do', async () => {
    const twice = lines(
      'test_twice if refund.within with input as {"context": {"arguments": {"amount": 5}}}',
      '',
      'test_twice if refund.within with input as {"context": {"arguments": {"amount": 6}}}',
    );
    const report = await testPolicy(TOOLS, policyOf(tests(twice)));
    expect(report).toMatchObject({ passed: 0, failed: 1 });
    expect(report.tests[0]?.verdicts).toMatchObject({ opa_scan: 'fail', opa_static: 'fail' });
  });

  test('a test that OPA runs and nobody knows here is no silent success', async () => {
    const author = [
      { path: 'authz.rego', text: 'package authz\n\nallow if input.user == "a"\n' },
      {
        path: 'authz_test.rego',
        text: 'package authz["a.b_test"]\n\ntest_never if data.authz.allow\n',
      },
    ];
    const run = testPolicy(TOOLS, gatherSources(author, []), { entrypoint: 'authz/allow' });
    await expect(run).rejects.toMatchObject({
      code: 'RULES_REFUSED',
      message: expect.stringMatching(/^OPA runs tests that nobody judges here: /u),
    });
  });

  test('[X-18] a test that OPA and the compiled policy answer differently fails', async () => {
    // A set is ordered in OPA and in hash order in WASM.
    const order = lines(
      'test_order if {',
      '\trefund.effect',
      '\tconcat(",", {"a", "b", "c", "d", "e"}) == "a,b,c,d,e"',
      '}',
    );
    const report = await testPolicy(TOOLS, policyOf(tests(order)));
    expect(report.tests[0]).toMatchObject({
      verdicts: { opa_scan: 'pass', opa_static: 'pass', wasm: 'fail' },
      passed: false,
      disagreement: true,
    });
  });

  test('an evaluation that breaks off is an error in each', async () => {
    const conflict = lines(
      'test_conflict if _one(1) == 1',
      '_one(x) := 1 if x == 1',
      '_one(x) := 2 if x == 1',
      'test_refund if refund.effect',
    );
    const report = await testPolicy(TOOLS, policyOf(tests(conflict)));
    expect(report.tests[0]).toMatchObject({
      verdicts: { opa_scan: 'error', opa_static: 'error', wasm: 'error' },
      passed: false,
    });
    expect(report.tests[1]).toMatchObject({ passed: true });
  });

  test('data that a test replaces is not read from the index', async () => {
    const grants = `test_granted if {
	data.mcp.main.decision.decision == "deny" with input as _call with data.grants as []
	data.mcp.main.decision.decision == "allow" with input as _call
		with data.grants as [{"to": {"user": "user:a"}, "on": "tool:shop/sell"}]
	refund.effect
}

_call := {
	"action": {"name": "tools/call"},
	"subject": {"id": "user:a"},
	"resource": {"type": "tool", "id": "sell", "properties": {"server": "shop"}},
	"context": {"profile": "mcp/1", "phase": "call", "environment": {"deployment": "p"}},
}`;
    const registry = {
      'tool:shop/sell': { environment: 'p', risk: 'low', approved: true, data_classes: [] },
    };
    const report = await testPolicy(
      TOOLS,
      policyOf({ ...tests(grants), 'data.json': JSON.stringify({ registry, never: {} }) }),
    );
    expect(report.tests[0]?.verdicts).toEqual({
      opa_scan: 'pass',
      opa_static: 'pass',
      wasm: 'pass',
    });
  });

  test('data that no test replaces is read through the index', async () => {
    const grants = `test_granted if {
	data.mcp.main.decision.decision == "allow" with input as _call
	refund.effect
}

_call := {
	"action": {"name": "tools/call"},
	"subject": {"id": "user:a"},
	"resource": {"type": "tool", "id": "sell", "properties": {"server": "shop"}},
	"context": {
		"profile": "mcp/1",
		"phase": "call",
		"environment": {"deployment": "p"},
		"arguments": {"n": 3},
	},
}`;
    const data = {
      registry: {
        'tool:shop/sell': { environment: 'p', risk: 'low', approved: true, data_classes: [] },
      },
      grants: [
        {
          to: { user: 'user:a' },
          on: 'tool:shop/sell',
          within: { '/n': { at_most: { data: 'limits' } } },
        },
      ],
      limits: { 'user:a': 3 },
      never: {},
    };
    const sources = policyOf({ ...tests(grants), 'data.json': JSON.stringify(data) });
    const report = await testPolicy(TOOLS, sources);
    expect(report.tests[0]?.verdicts).toEqual({
      opa_scan: 'pass',
      opa_static: 'pass',
      wasm: 'pass',
    });
  });

  test('the library passes its own tests, with every line covered', async () => {
    const report = await testPolicy(TOOLS, policyOf({}));
    expect(report.tests.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.passed).toBeGreaterThan(150);
    expect(report).toMatchObject({ failed: 0, coverage_percent: 100, not_covered: {} });
  });
});
