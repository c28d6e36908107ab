/**
 * What is asked in a soak: requests whose right answer is known from the example's data, and
 * hostile ones, which must be refused or denied, each in its own way.
 */
import { EVALUATION_PATH, EVALUATIONS_PATH, type Question, type Reply } from './client.ts';

export interface Asked extends Question {
  title: string;
  /** What is wrong with an answer; undefined where it is right. */
  fault(reply: Reply): string | undefined;
  /** The connection may be cut off instead of an answer. */
  may_be_cut?: true;
}

const SEP_PATH = '/v1/decision';
const ALICE = { principal: 'user:alice@example.com', actor_type: 'human', groups: ['tellers'] };
const BOB = { ...ALICE, principal: 'user:bob@example.com' };
const JOB = {
  principal: 'user:nightly@example.com',
  actor_type: 'automation',
  groups: ['automation'],
};
const SUBJECT = {
  type: 'identity',
  id: ALICE.principal,
  properties: { actor_type: 'human', groups: ['tellers'] },
};
const ENVIRONMENT = { deployment: 'production' };
const resource = (id: string) => ({ type: 'tool', id, properties: { server: 'payments' } });

function sep(subject: object, name: string, args: object = {}, more: object = {}): string {
  const capability = { type: 'tool', name };
  const request = { subject, capability, action: 'execute', arguments: args };
  return JSON.stringify({ ...request, environment: ENVIRONMENT, ...more });
}

const evaluation = (more: object = {}, context: object = {}): object => ({
  subject: SUBJECT,
  action: { name: 'tools/call', properties: { verb: 'execute' } },
  resource: resource('balance'),
  context: { profile: 'mcp/1', phase: 'call', environment: ENVIRONMENT, ...context },
  ...more,
});

/** What an answer told, by the evaluation ids under which it must stand in the evidence. */
export function toldBy({ body: asked }: Question, reply: Reply): [id: string, told: string][] {
  const { evaluation_id, body } = reply;
  if (reply.status !== 200 || evaluation_id === undefined) return [];
  if (asked === LIST) return [[evaluation_id, 'discovery']];
  const outcomes = outcomesOf(body);
  if (!('evaluations' in (body as object))) return [[evaluation_id, outcomes.join()]];
  return outcomes.map((outcome, i) => [`${evaluation_id}#${i}`, outcome]);
}

/** The outcome of every decision in a body, whatever its profile. */
function outcomesOf(body: unknown): string[] {
  const { evaluations, context, decision } = body as {
    evaluations?: unknown[];
    context?: { outcome?: string };
    decision?: unknown;
  };
  if (evaluations) return evaluations.flatMap(outcomesOf);
  return [context?.outcome ?? String(decision)];
}

function decides(...outcomes: string[]): Asked['fault'] {
  const wanted = outcomes.join();
  return ({ status, body }) => {
    if (status !== 200) return `status ${status} instead of ${wanted}`;
    const found = outcomesOf(body).join();
    return found === wanted ? undefined : `${found} instead of ${wanted}`;
  };
}

function refuses(...statuses: number[]): Asked['fault'] {
  const wanted = statuses.join(' or ');
  return ({ status }) =>
    statuses.includes(status) ? undefined : `status ${status} instead of ${wanted}`;
}

/** The limits of the example's data: alice may transfer 25,000, above 10,000 with an approval. */
function transferBy(subject: typeof ALICE, limit: number, amount: number): Asked {
  const isOutside = amount < 0.01 || amount > limit;
  const inside = amount <= 10_000 ? 'allow' : 'require_approval';
  return {
    title: 'a transfer',
    path: SEP_PATH,
    body: sep(subject, 'transfer', { amount }),
    fault: decides(isOutside ? 'deny' : inside),
  };
}

const CATALOGUE = ['balance', 'transfer', 'customer', 'export_ledger', 'reset_sandbox'];
const LIST = JSON.stringify({
  subject: SUBJECT,
  action: { name: 'tools/list' },
  context: { profile: 'mcp/1', phase: 'discovery', environment: ENVIRONMENT },
  evaluations: CATALOGUE.map((id) => ({ resource: resource(id) })),
  options: { portcullis: { discovery: { catalogue_digest: `sha256:${'a'.repeat(64)}` } } },
});

const VALID: readonly Asked[] = [
  {
    title: 'a balance',
    path: EVALUATION_PATH,
    body: JSON.stringify(evaluation()),
    fault: decides('allow'),
  },
  {
    title: 'the ledger, by a person',
    path: SEP_PATH,
    body: sep(ALICE, 'export_ledger'),
    fault: decides('deny'),
  },
  {
    title: 'the ledger, by the job',
    path: SEP_PATH,
    body: sep(JOB, 'export_ledger'),
    fault: decides('allow'),
  },
  {
    title: 'a list',
    path: EVALUATIONS_PATH,
    body: LIST,
    fault: decides('allow', 'allow', 'allow', 'deny', 'deny'),
  },
  {
    title: 'a batch',
    path: EVALUATIONS_PATH,
    body: JSON.stringify({
      evaluations: [
        evaluation(),
        evaluation({ resource: resource('export_ledger') }),
        evaluation({ subject: { type: 'identity', id: 'user:nobody@example.com' } }),
        evaluation({ resource: resource('no_such_tool') }),
      ],
    }),
    fault: decides('allow', 'deny', 'deny', 'deny'),
  },
];

const TEXT = JSON.stringify(evaluation());
const at = (title: string, body: string | Uint8Array, fault = refuses(400)): Asked => ({
  title,
  path: EVALUATION_PATH,
  body,
  fault,
});
const with_headers = (
  title: string,
  headers: Question['headers'] & object,
  status: number,
): Asked => ({
  ...at(title, TEXT, refuses(status)),
  headers,
});

const HOSTILE: readonly Asked[] = [
  at('no JSON', 'not JSON'),
  at('nothing', ''),
  at('half a request', TEXT.slice(0, TEXT.length / 2)),
  at('something behind it', `${TEXT} x`),
  at('a lone surrogate', TEXT.replace('balance', String.raw`balance\ud800`)),
  at('a doubled member', TEXT.replace('{', '{"subject":{"type":"identity","id":"user:root"},')),
  at('a prototype', TEXT.replace('{', '{"__proto__":{"decision":true},')),
  at('a number beyond a double', TEXT.replace('"production"', '1e999')),
  at('a deep nest', '['.repeat(20_000)),
  at('bytes that are not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)),
  {
    title: 'an approval of its own',
    path: SEP_PATH,
    body: sep(ALICE, 'transfer', { amount: 12_000 }, { approval: { present: true } }),
    fault: decides('require_approval'),
  },
  at(
    'a profile of the future',
    JSON.stringify(evaluation({}, { profile: 'mcp/9' })),
    decides('deny'),
  ),
  { ...at('a body too large', 'x'.repeat(70_000), refuses(413)), may_be_cut: true },
  at(
    'an input too large',
    JSON.stringify(evaluation({}, { claimed: { note: 'x'.repeat(20_000) } })),
    refuses(413),
  ),
  with_headers('no token', { authorization: null }, 401),
  with_headers('a wrong token', { authorization: `Bearer ${'x'.repeat(43)}` }, 401),
  with_headers('a web page', { origin: 'https://evil.example' }, 403),
  with_headers('a host of somebody else', { host: 'evil.example' }, 400),
  with_headers('a form', { 'content-type': 'application/x-www-form-urlencoded' }, 400),
  { title: 'no such route', path: '/v1/data/system', body: '{}', fault: refuses(404) },
  { title: 'a wrong method', method: 'GET', path: EVALUATION_PATH, fault: refuses(405) },
  at(
    'a tool that does not exist',
    JSON.stringify(evaluation({ resource: resource('nothing') })),
    decides('deny'),
  ),
  ...[null, '9', [9], true, -1, {}].map((amount): Asked => ({
    title: 'an amount that is none',
    path: SEP_PATH,
    body: sep(ALICE, 'transfer', { amount }),
    fault: decides('deny'),
  })),
];

/** Picks the next question; `below` gives an integer from 0 to its argument less one. */
export function pickQuestion(below: (limit: number) => number): Asked {
  const share = below(10);
  if (share < 3) return pick(HOSTILE, below);
  if (share < 6) return pick(VALID, below);
  const amount = below(3_000_000) / 100;
  return share < 9 ? transferBy(ALICE, 25_000, amount) : transferBy(BOB, 500, amount / 10);
}

function pick(choices: readonly Asked[], below: (limit: number) => number): Asked {
  const choice = choices[below(choices.length)];
  if (!choice) throw new Error('there is nothing to choose from');
  return choice;
}
