/** The list of tasks: the server's own page, with those of this caller that it may know of. */
import type { Resource } from '../contract/types.gen.ts';
import { resourceNamed } from './evaluation.ts';
import type { Exchange } from './exchange.ts';
import { find } from './find.ts';
import { askerOf, notReady, type Gate } from './gate.ts';
import { discover, frameOf, listParams } from './list.ts';
import { isObject, wireCopy, type JsonObject } from './message.ts';
import { tellState, UNSPOKEN } from './task_state.ts';
import type { Task } from './tasks.ts';

/** Order and cursor stay the server's, so a page may come out empty. */
export async function listTasks(gate: Gate, exchange: Exchange): Promise<object | undefined> {
  const { id, arrival } = exchange;
  if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
  const asker = askerOf(exchange);
  if (!asker) return { jsonrpc: '2.0', id, result: { tasks: [] } };
  const answer = await gate.forward(exchange, listParams(arrival.request.params));
  if (answer === undefined) return undefined;
  if ('error' in answer.body) return answer.raw;
  const page = wireCopy(answer.body.result);
  if (!isObject(page) || !Array.isArray(page['tasks'])) {
    return gate.refuse(exchange, { reason_code: 'RESULT_WITHHELD' });
  }
  const owned = page['tasks'].flatMap((state) => ownedIn(gate, state) ?? []);
  const resources = await Promise.all(owned.map(({ task }) => resourceOf(gate, exchange, task)));
  const { digest } = await gate.catalogue('tool', exchange);
  const visible = await discover(gate, exchange, asker, resources, digest);
  if (exchange.cancelled) return undefined;
  const tasks = owned.filter((_entry, index) => visible[index] === true).map(({ state }) => state);
  return { jsonrpc: '2.0', id, result: { ...frameOf(page), tasks } };
}

interface Listed {
  task: Task;
  state: JsonObject;
}

/** A list tells of the states, and not what they are about: policy is not asked what it masks. */
function ownedIn({ parts, tasks, principal }: Gate, said: unknown): Listed | undefined {
  const task = isObject(said) ? tasks.find(said['taskId'], principal) : undefined;
  const told = task && tellState(parts, task.id, UNSPOKEN, said);
  return told && { task, state: told.state };
}

async function resourceOf(gate: Gate, exchange: Exchange, { origin }: Task): Promise<Resource> {
  const { item } = await find(gate, exchange, origin.kind, origin.name);
  return resourceNamed(gate.parts.settings.server, origin.kind, origin.name, item);
}
