/**
 * What a server asks its client for: to sample a model, to list roots, to ask the user. It is data
 * on its way out of the server, so policy decides on it as on a capability of the server's own,
 * `mcp_server:SERVER/METHOD`, and what is told is made anew of what the method defines.
 */
import type { EvaluationResponse } from '../contract/types.gen.ts';
import { decide, isTooLarge } from './decide.ts';
import { resourceNamed } from './evaluation.ts';
import type { Arrival } from './exchange.ts';
import { askerOf, type Gate } from './gate.ts';
import { captureJson, isObject, wireCopy, type JsonObject } from './message.ts';
import type { Era, KnownMethod } from './methods.ts';
import { withholdsStream } from './obligations/plan.ts';

export type AskMethod = Extract<
  KnownMethod,
  'sampling/createMessage' | 'roots/list' | 'elicitation/create'
>;

export interface Ask {
  method: AskMethod;
  /** As the client is told them. */
  params: JsonObject;
  /** As policy reads them. */
  arguments: JsonObject;
}

type Shape = 'text' | 'number' | 'object' | 'array' | 'address';

/** The members that a method defines; those in the second object may be left out. */
type Members = readonly [required: Record<string, Shape>, optional: Record<string, Shape>];

const FORM: Members = [{ message: 'text', requestedSchema: 'object' }, { mode: 'text' }];
const URL_MODE: Members = [{ mode: 'text', message: 'text', url: 'address' }, {}];
/** The revisions before 2026-07-28 name a request, to say later that it is done with. */
const LEGACY_URL_MODE: Members = [{ ...URL_MODE[0], elicitationId: 'text' }, {}];
const SAMPLING: Members = [
  { messages: 'array', maxTokens: 'number' },
  {
    modelPreferences: 'object',
    systemPrompt: 'text',
    includeContext: 'text',
    temperature: 'number',
    stopSequences: 'array',
    metadata: 'object',
    tools: 'array',
    toolChoice: 'object',
  },
];

function membersOf(method: AskMethod, mode: unknown, era: Era): Members | undefined {
  if (method === 'roots/list') return [{}, {}];
  if (method === 'sampling/createMessage') return SAMPLING;
  if (mode === undefined || mode === 'form') return FORM;
  if (mode !== 'url') return undefined;
  return era === 'legacy' ? LEGACY_URL_MODE : URL_MODE;
}

export function isAskMethod(method: unknown): method is AskMethod {
  return (
    method === 'sampling/createMessage' ||
    method === 'roots/list' ||
    method === 'elicitation/create'
  );
}

/** What is asked, or a pointer to what is wrong with it. */
export function readAsk(method: AskMethod, raw: unknown, era: Era): Ask | string {
  const given = raw === undefined ? {} : captureJson(wireCopy(raw));
  if (given === undefined) return '/params';
  const members = membersOf(method, given['mode'], era);
  if (members === undefined) return '/params/mode';
  const [required, optional] = members;
  const params: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries({ ...required, ...optional })) {
    const value = given[name];
    if (value === undefined && !Object.hasOwn(required, name)) continue;
    const read = readMember(value, shape);
    if (read === undefined) return `/params/${name}`;
    params[name] = read;
  }
  // A form is what is meant where no mode is said.
  const asked = method === 'elicitation/create' ? { mode: 'form', ...params } : params;
  return { method, params, arguments: asked };
}

const SHAPES: Readonly<Record<Exclude<Shape, 'address'>, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  object: isObject,
  array: Array.isArray,
};

function readMember(value: unknown, shape: Shape): unknown {
  if (shape === 'address') return typeof value === 'string' ? addressOf(value) : undefined;
  return SHAPES[shape](value) ? value : undefined;
}

/**
 * The one spelling of an address, which policy decides on and the user opens. One that brings a
 * name and password is none that a user is sent to: `https://trusted.example@evil.example/`.
 */
function addressOf(text: string): string | undefined {
  const url = URL.parse(text);
  return url && url.username === '' && url.password === '' ? url.href : undefined;
}

export type Judged =
  | { ok: true; decision: EvaluationResponse }
  | { ok: false; reason_code: string; safe_message?: string | undefined; id?: string | undefined };

/**
 * Whether it may be asked, of the one who made the request in whose service it is. Never rejects.
 */
export async function judgeAsk(
  gate: Gate,
  arrival: Arrival,
  ask: Ask,
  signal: AbortSignal,
): Promise<Judged> {
  const { parts, watch } = gate;
  const asker = askerOf({ arrival });
  if (!asker) return { ok: false, reason_code: 'POLICY_DENIED' };
  if (isTooLarge(parts, ask.arguments)) return { ok: false, reason_code: 'ARGUMENTS_TOO_LARGE' };
  const verdict = await decide(parts, watch, {
    asker,
    method: ask.method,
    resource: resourceNamed(parts.settings.server, 'mcp_server', ask.method),
    arguments: ask.arguments,
    signal,
  });
  const { answer } = verdict;
  const id = answer?.context.evaluation_id;
  if (verdict.outcome === 'hidden') return { ok: false, reason_code: 'POLICY_DENIED', id };
  if (verdict.outcome === 'refuse') {
    const { reason_code, safe_message, overruled } = verdict;
    if (answer && overruled) gate.report(answer, { status: 'refused', reason_code });
    return { ok: false, reason_code, safe_message, id };
  }
  // What is asked has no result that could be masked before it leaves.
  if (withholdsStream(verdict.answer.context.obligations)) {
    const reason_code = 'OBLIGATION_UNSUPPORTED';
    gate.report(verdict.answer, { status: 'refused', reason_code });
    return { ok: false, reason_code, id };
  }
  return { ok: true, decision: verdict.answer };
}
