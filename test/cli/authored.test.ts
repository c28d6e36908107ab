/** A policy from its author's folder to the answers of a service, without a line of TypeScript. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EvaluationRequest, EvaluationsResponse } from '../../src/contract/types.gen.ts';
import { digestOf } from '../../src/contract/digest.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { run, serve, type Serving } from './fixture.ts';

const FILES: Record<string, string> = {
  'policy/rules/shop/refund.rego': `# METADATA
# title: Clerks refund up to their own limit
# custom: {reason_code: REFUND_LIMIT}
package mcp.rules.shop.refund

import data.mcp.compare
import data.mcp.request

effect := "allow"

applies if {
	request.name == "tool:shop/refund"
	"clerks" in request.groups
}

default within := false

within if compare.between(request.arguments.amount, 0, data.refund_limits[request.user.id])
`,
  'policy/data.yaml': `
registry:
  "tool:shop/refund": {environment: production, risk: low, approved: true, data_classes: []}
  "tool:shop/sell": {environment: production, risk: low, approved: true, data_classes: []}
  "tool:shop/close": {environment: production, risk: low, approved: true, data_classes: []}
grants:
  - {to: {group: clerks}, on: "tool:shop/sell", within: {/price: {at_most: 100}}}
refund_limits: {"user:ann": 50}
`,
};

function asked(tool: string, args?: object): EvaluationRequest {
  return {
    subject: { type: 'identity', id: 'user:ann', properties: { groups: ['clerks'] } },
    action: { name: args ? 'tools/call' : 'tools/list' },
    resource: { type: 'tool', id: tool, properties: { server: 'shop' } },
    context: {
      profile: 'mcp/1',
      phase: args ? 'call' : 'discovery',
      environment: { deployment: 'production' },
      ...(args && { arguments: args as Record<string, unknown> }),
    },
  };
}

describeWithOpa('a policy of its author', () => {
  const folder = privateFolder();
  let service: Serving;

  beforeAll(async () => {
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder.path, path)), { recursive: true });
      writeFileSync(join(folder.path, path), text);
    }
    const bundle = join(folder.path, 'shop.tar.gz');
    const built = await run('build', join(folder.path, 'policy'), '-o', bundle);
    expect([built.code, built.stderr]).toEqual([0, expect.any(String)]);
    const state = ['--data', join(folder.path, 'state'), '--listen', '127.0.0.1:0'];
    service = await serve('--bundle', bundle, ...state);
  }, 60_000);
  afterAll(async () => {
    await service.stop('SIGTERM');
    folder.remove();
  });

  async function post(path: string, body: object): Promise<Response> {
    const [token] = readTokens(service.token_file);
    const headers = { authorization: `Bearer ${token?.token}`, 'content-type': 'application/json' };
    return fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** The projection names the active policy, as a guard would send it. */
  async function decide(tool: string, args: object): Promise<unknown> {
    const [token] = readTokens(service.token_file);
    const headers = { authorization: `Bearer ${token?.token}` };
    const status = await fetch(`${service.url}/v1/status`, { headers });
    const { arguments_projection } = (await status.json()) as {
      arguments_projection: { digest: string };
    };
    const request = asked(tool, args);
    request.context.arguments_projection = arguments_projection.digest;
    const answer = (await (await post('/access/v1/evaluation', request)).json()) as {
      context: { outcome: string; reason_code: string };
    };
    return [answer.context.outcome, answer.context.reason_code];
  }

  async function list(tools: string[]): Promise<string[]> {
    const { subject, action, context } = asked('refund');
    const answer = await post('/access/v1/evaluations', {
      subject,
      action,
      context,
      evaluations: tools.map((tool) => ({ resource: asked(tool).resource })),
      options: { portcullis: { discovery: { catalogue_digest: digestOf(tools) } } },
    });
    const { evaluations } = (await answer.json()) as EvaluationsResponse;
    return tools.filter((_, i) => evaluations[i]?.decision);
  }

  test('[C-01] [C-05] is built, loaded and decided by, with rules and data', async () => {
    expect(await decide('refund', { amount: 50 })).toEqual(['allow', 'ALLOWED']);
    expect(await decide('refund', { amount: 51 })).toEqual(['deny', 'REFUND_LIMIT']);
    expect(await decide('sell', { price: 100 })).toEqual(['allow', 'ALLOWED']);
    expect(await decide('sell', { price: 101 })).toEqual(['deny', 'POLICY_DENIED']);
    const sep = await post('/v1/decision', {
      subject: { principal: 'user:ann', groups: ['clerks'] },
      capability: { type: 'tool', name: 'refund' },
      action: 'execute',
      arguments: { amount: 5 },
    });
    expect([sep.status, await sep.json()]).toEqual([
      200,
      expect.objectContaining({ decision: 'deny' }),
    ]);
  });

  test('[X-01] lists what some arguments allow, and decides on the real ones', async () => {
    expect(await list(['refund', 'sell', 'close'])).toEqual(['refund', 'sell']);
    expect(await decide('refund', { amount: 'much' })).toEqual(['deny', 'REFUND_LIMIT']);
    expect(await decide('refund', {})).toEqual(['deny', 'REFUND_LIMIT']);
    expect(await decide('close', {})).toEqual(['deny', 'CAPABILITY_NOT_ALLOWED']);
  });
});
