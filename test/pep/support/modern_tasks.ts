/** A guarded endpoint of 2.x with tasks, and what callers with and without them ask of it. */
import type { GuardSettings } from '../../../src/pep/settings.ts';
import { TASKS } from '../../../src/pep/methods.ts';
import { ENVELOPE, messageOf, post, started, VERSION } from './http.ts';
import type { Script } from './scripted.ts';
import { buildTasks2, Desk2 } from './tasks_2.ts';
import type { Told } from './wire.ts';

export const DECLARED = { extensions: { [TASKS]: {} } };

export interface Caller {
  who?: string;
  /** What it says that it can do. */
  offers?: object;
  headers?: Record<string, string>;
}

export async function modernRig(script: Script = {}, settings: Partial<GuardSettings> = {}) {
  const desk = new Desk2();
  const { url, parts } = await started(() => buildTasks2(desk), script, { settings });
  const send = (
    method: string,
    params: Record<string, unknown> = {},
    { who = 'alice', offers = DECLARED, headers }: Caller = {},
  ) => {
    const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/clientCapabilities': offers };
    const name = params['name'] ?? params['taskId'];
    const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } };
    return post(url, message, {
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
      authorization: who && `Bearer user:${who}`,
      ...headers,
    });
  };
  const ask = async (method: string, params: Record<string, unknown> = {}, caller: Caller = {}) =>
    (await messageOf(await send(method, params, caller))) as Told;
  const call = (name: string, args: object = {}, caller: Caller = {}) =>
    ask('tools/call', { name, arguments: args }, caller);
  /** The id of a task that the test ends. */
  const made = async (caller: Caller = {}) =>
    (await call('report', {}, caller)).result.taskId as string;
  return { url, parts, desk, send, ask, call, made };
}
