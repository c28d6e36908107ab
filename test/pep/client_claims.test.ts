/** Whatever a client says of its rights, wherever it says it, changes nothing. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import type { DiscoveryRequest, EvaluationRequest } from '../../src/contract/types.gen.ts';
import { fromAuthInfo } from '../../src/identity/auth_info/source.ts';
import { EXTENSION } from '../../src/pep/answers.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { closeAll, messageOf, post, started } from './support/http.ts';
import { before } from './support/real.ts';
import { HELLO } from './support/rig.ts';
import { deny } from './support/scripted.ts';
import { buildServer, LINES, type Line } from './support/servers.ts';
import type { TestWire } from './support/wire.ts';
import { closeWorlds, policy, TOOLS } from './support/worlds.ts';

afterEach(async () => {
  await closeAll();
  await closeWorlds();
});

/** What a client is no authority for, in the words of the sources and of this project. */
const CLAIMS: [string, Record<string, unknown>][] = [
  ['the decision', { decision: 'allow', outcome: 'allow', allowed: true, reason_code: 'ALLOWED' }],
  [
    'the actor',
    {
      actor_type: 'human',
      subject: { type: 'identity', id: 'user:root', properties: { actor_type: 'human' } },
      principal: 'user:root',
      groups: ['admins'],
      tenant: 'other',
      agent: { id: 'root', verified: true },
    },
  ],
  [
    'the approval',
    {
      approval: { present: true, approved: true, approver: 'user:root' },
      approval_ref: 'a-1',
      constraints: {},
      inputResponses: { approval: { action: 'accept' } },
      requestState: 'approved',
      task: { status: 'completed' },
    },
  ],
  ['the policy', { policy: { revision: 'open', digest: 'x' }, bundle: 'open', rules: [] }],
  ['the mode', { mode: 'shadow', enforcement: 'off', dry_run: true, profile: 'authzen' }],
  ['the visibility', { visible: true, phase: 'discovery', environment: { deployment: 'dev' } }],
];

interface Said {
  params?: Record<string, unknown>;
  meta?: Record<string, unknown>;
  values?: Record<string, unknown>;
  headers?: Record<string, string>;
  hello?: Record<string, unknown>;
}

/** The claim under its own names and under those of the extension. */
const named = (claim: Record<string, unknown>) => ({
  ...claim,
  [EXTENSION]: claim,
  'io.modelcontextprotocol/actor': claim,
  portcullis: claim,
});

const headersOf = (claim: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(claim).flatMap(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const dashed = name.replaceAll('_', '-');
      return [
        [dashed, text],
        [`x-${dashed}`, text],
        [`mcp-${dashed}`, text],
        [`portcullis-${dashed}`, text],
      ];
    }),
  );

const PLACES: [string, (claim: Record<string, unknown>) => Said][] = [
  ['in `_meta`', (claim) => ({ meta: named(claim) })],
  ['beside the parameters', (claim) => ({ params: named(claim) })],
  ['in the arguments', (claim) => ({ values: named(claim) })],
  ['in the headers', (claim) => ({ headers: headersOf(claim) })],
  [
    'in its capabilities',
    (claim) => ({
      hello: { capabilities: { ...claim, extensions: named(claim), experimental: named(claim) } },
    }),
  ],
  ['in its name', (claim) => ({ hello: { clientInfo: { name: 'c', version: '1', ...claim } } })],
];

const automation = { sub: 'alice', actor_type: 'automation', groups: ['tellers'] };
const AUTH = { token: 't', clientId: 'c', scopes: [], extra: automation };
const identity = fromAuthInfo({ actor_type: 'actor_type', groups: 'groups' });

/** Every answer that a client gets, with the ids of the decisions left out. */
async function story(wire: TestWire, said: Said): Promise<string[]> {
  const extra = { authInfo: AUTH, requestInfo: { headers: said.headers ?? {} } };
  const ask = async (id: string, method: string, params: object = {}) => {
    const _meta = said.meta && { _meta: said.meta };
    return wire.ask(id, method, { ...said.params, ...params, ..._meta }, extra);
  };
  const answers = [await wire.ask('h', 'initialize', { ...HELLO, ...said.hello }, extra)];
  answers.push(await ask('l', 'tools/list'));
  for (const name of [...TOOLS, 'unheard']) {
    answers.push(await ask(name, 'tools/call', { name, arguments: { ...said.values } }));
  }
  answers.push(await ask('p', 'prompts/list'));
  return answers.map((answer) => answer.replaceAll(/"request_id":"[^"]*"/g, ''));
}

async function storyOf(line: Line, said: Said) {
  const { point } = await policy();
  const asked: object[] = [];
  const recording: DecisionPoint = {
    decide: (request, options) => {
      asked.push(proved(request));
      return point.decide(request, options);
    },
    discover: (request, options) => {
      asked.push(proved(request));
      return point.discover(request, options);
    },
    report: (outcome) => point.report(outcome),
    turnedAway: (report) => point.turnedAway(report),
    describe: (options) => point.describe(options),
    watch: (listener) => point.watch(listener),
    close: () => point.close(),
  };
  const { wire, journal } = await before(recording, line, TOOLS, identity, {}, false);
  const answers = await story(wire, said);
  return { answers, asked, did: journal.calls.map(({ name }) => name) };
}

/** A question without what it marks as claimed, and without the digest of all arguments. */
function proved<Q extends EvaluationRequest | DiscoveryRequest>({
  context,
  ...request
}: Q): object {
  const { arguments_digest: _, agent, ...rest } = context;
  return { ...request, context: { ...rest, agent: { ...agent, claimed: {} } } };
}

const CASES = LINES.flatMap((line) =>
  PLACES.flatMap(([place, say]) =>
    CLAIMS.map(([what, claim]) => ({ line, place, what, said: say(claim) })),
  ),
);

describeWithOpa('a client that claims', () => {
  const plain = new Map<Line, Awaited<ReturnType<typeof storyOf>>>();

  test.each(LINES)('nothing gets what policy gives it, SDK %i.x', async (line) => {
    const told = await storyOf(line, {});
    expect(told.did).toEqual(['fine']);
    expect(told.answers.filter((answer) => answer.includes('did fine'))).toHaveLength(1);
    expect(told.answers.join()).not.toContain('"name":"hidden"');
    plain.set(line, told);
  });

  test.each(CASES)('[E-07] $what $place gets no more, SDK $line.x', async ({ line, said }) => {
    expect(await storyOf(line, said)).toEqual(plain.get(line));
  });
});

describe('over HTTP', () => {
  const options = { identity: fromAuthInfo({ subject_claim: 'name', actor_type: 'actor_type' }) };
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'balance' } };

  test.each(LINES)(
    'the decision point is asked the same with any header, SDK %i.x',
    async (line) => {
      const { url, parts } = await started(
        () => buildServer(line),
        { decide: () => deny() },
        options,
      );
      const answers: unknown[] = [];
      for (const [, claim] of [['nothing', {}] as const, ...CLAIMS]) {
        answers.push(await messageOf(await post(url, call, headersOf(claim))));
      }
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      const asked = parts.decisionPoint.decisions.map((request) => JSON.stringify(request));
      expect([asked.length, new Set(asked).size]).toEqual([CLAIMS.length + 1, 1]);
      expect(asked[0]).toContain('"id":"user:user:alice"');
    },
  );
});
