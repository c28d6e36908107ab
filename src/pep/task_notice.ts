/** What a server tells of a task on its own account. */
import { decide } from './decide.ts';
import { eraOf, RELATED_TASK, resourceNamed } from './evaluation.ts';
import type { Gate } from './gate.ts';
import { isObject, type JsonObject, type Notification } from './message.ts';
import { isEnforced } from './methods.ts';
import { withholdsStream } from './obligations/plan.ts';
import type { Followed } from './stream.ts';
import { tellState } from './task_state.ts';
import type { Task } from './tasks.ts';

type Hall = Pick<Gate, 'parts' | 'watch' | 'tasks'>;

/**
 * The state that a notice tells, for the owner of a task of which nothing is masked. Policy may
 * have changed since the task was made, so that it is asked as if the owner asked for the state.
 */
export async function taskNotice(
  gate: Hall,
  principal: string,
  { method, params }: Pick<Notification, 'method' | 'params'>,
): Promise<JsonObject | undefined> {
  const task = gate.tasks.find(params['taskId'], principal);
  // What it asks is decided on when the owner asks for the state.
  if (!task || 'inputRequests' in params) return undefined;
  const era = eraOf(task.origin.asker.request);
  if (!isEnforced(method, 'notification', 'server_to_client', era)) return undefined;
  return (await isOpen(gate, task)) ? tellState(gate.parts, task.id, [], params)?.state : undefined;
}

/** What is told of the progress of a task, in the words of the call that made it. */
export async function taskProgress(
  gate: Hall,
  { task, token }: Followed,
  params: JsonObject,
): Promise<JsonObject | undefined> {
  if (task.ended || gate.tasks.find(task.id, task.principal) !== task) return undefined;
  return (await isOpen(gate, task)) ? { ...params, progressToken: token } : undefined;
}

/** Whether nothing of it was masked, and would be now. */
async function isOpen({ parts, watch }: Hall, { origin }: Task): Promise<boolean> {
  if (withholdsStream(origin.obligations)) return false;
  const { kind, name, item, arguments: args, asker } = origin;
  const verdict = await decide(parts, watch, {
    asker,
    method: 'tasks/get',
    resource: resourceNamed(parts.settings.server, kind, name, item),
    arguments: args,
    signal: new AbortController().signal,
  });
  return verdict.outcome === 'allow' && !withholdsStream(verdict.answer.context.obligations);
}

/** A message on its way, in which no task is named but one of the caller's own. */
export function namingOwnTask(message: object, gate: Gate): object {
  const { params, result } = message as { params?: unknown; result?: unknown };
  if (namesForeignTask(params, gate)) return { ...message, params: unnamed(params) };
  return namesForeignTask(result, gate) ? { ...message, result: unnamed(result) } : message;
}

interface Marked {
  _meta: Record<string, unknown>;
}

function namesForeignTask(part: unknown, { tasks, principal }: Gate): part is Marked {
  if (!isObject(part) || !isObject(part['_meta'])) return false;
  const { [RELATED_TASK]: related } = part['_meta'];
  if (related === undefined) return false;
  return !isObject(related) || !tasks.find(related['taskId'], principal);
}

function unnamed({ _meta, ...rest }: Marked): object {
  const { [RELATED_TASK]: _task, ...kept } = _meta;
  return { ...rest, _meta: kept };
}
