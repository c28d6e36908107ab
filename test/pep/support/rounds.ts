/** A server that asks before it has a result, and a client that calls it round by round. */
import { asking, FORM, SAMPLE, type AskingOptions } from './asking.ts';
import { ENVELOPE } from './http.ts';
import type { Script } from './scripted.ts';
import type { Line } from './servers.ts';

export const OFFERED = { sampling: {}, roots: {}, elicitation: { form: {}, url: {} } };
/** The envelope of a request of 2026-07-28 whose client offers this. */
export const offering = (offers: object) => ({
  ...ENVELOPE,
  'io.modelcontextprotocol/clientCapabilities': offers,
});

const QUESTIONS = {
  name: { method: 'elicitation/create', params: FORM },
  text: { method: 'sampling/createMessage', params: SAMPLE },
};
export const ACCEPT = { action: 'accept', content: { account: 'a-1' } };
export const SAMPLED = { role: 'assistant', model: 'm', content: { type: 'text', text: 'Hi' } };
/** What the server remembers between the rounds: any text. */
export const INNER = 'the server\u2019s own \ud800 state\n"';
export const TRANSFER = { name: 'transfer', arguments: { amount: 5, to: 'bob' } };

export type Params = Record<string, unknown>;

interface Answered {
  id: number;
  result?: Params;
  error?: { code: number; data: Params };
}

const DONE = { content: [], contents: [], messages: [], ttlMs: 9000, cacheScope: 'public' };

/** `given` is what the server was given; `state` is its own, if it has one. */
export async function rounds(
  line: Line,
  { state = INNER, ...options }: AskingOptions & { state?: string | null } = {},
  script: Script = {},
) {
  const given: Params[] = [];
  const own = state !== null && { requestState: state };
  const asked = { resultType: 'input_required', inputRequests: QUESTIONS, ...own };
  const serve = (params: Params, method: string): object | undefined => {
    if (!['tools/call', 'prompts/get', 'resources/read'].includes(method)) return undefined;
    given.push(params);
    const again = 'requestState' in params || 'inputResponses' in params;
    return { result: again ? DONE : asked };
  };
  const rig = await asking(script, { line, serve, ...options });
  let id = 10;
  const call = async (method: string, params: Params): Promise<Answered> => {
    id += 1;
    const _meta = params['_meta'] ?? offering(OFFERED);
    return JSON.parse(await rig.wire.ask(id, method, { ...params, _meta })) as Answered;
  };
  const begin = async (method = 'tools/call', params: Params = TRANSFER) =>
    (await call(method, params)).result?.['requestState'] as string;
  return { ...rig, given, call, begin };
}
