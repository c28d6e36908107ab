/** The methods that use a capability, and what each asks for, is given and may tell. */
import { privateCache } from './capabilities.ts';
import { isRetry } from './retry.ts';
import { expandTemplate } from './uri_template.ts';
import { eraOf, resourceNamed } from './evaluation.ts';
import { discover, frameOf } from './list.ts';
import { isObject, wireCopy, type JsonObject } from './message.ts';
import { deferCall, readTask } from './task_call.ts';
import type { Use, UseRule, Work } from './use.ts';

const WHOLE = { arguments: {} };

/** `arguments` of a call or a prompt; a pointer where they are no object. */
function readNamed(kind: 'tool' | 'prompt', params: JsonObject): Use | string {
  const { name, arguments: args, _meta } = params;
  if (typeof name !== 'string') return '/params/name';
  if (args !== undefined && !isObject(args)) return '/params/arguments';
  const given = { name, ...(args && { arguments: args }), ...metaOf(_meta) };
  return { kind, id: name, arguments: args ?? {}, params: given };
}

function readAddressed({ uri, _meta }: JsonObject): Use | string {
  if (typeof uri !== 'string') return '/params/uri';
  return { kind: 'resource', id: uri, ...WHOLE, params: { uri, ...metaOf(_meta) } };
}

/** What is completed stands for the thing, and its values for the arguments. */
function readCompletion({ ref, argument, context, _meta }: JsonObject): Use | string {
  if (!isObject(argument)) return '/params/argument';
  const { name, value } = argument;
  if (typeof name !== 'string') return '/params/argument/name';
  if (typeof value !== 'string') return '/params/argument/value';
  if (context !== undefined && !isObject(context)) return '/params/context';
  const known = othersIn(context?.['arguments'], name);
  const thing = completed(ref);
  if (typeof thing === 'string') return thing;
  const params = {
    ref: thing.ref,
    argument: { name, value },
    ...(context && { context: { arguments: known } }),
    ...metaOf(_meta),
  };
  return { kind: thing.kind, id: thing.id, arguments: { ...known, [name]: value }, params };
}

/** The values that are known already; that of the completed argument is the one that it says. */
function othersIn(values: unknown, name: string): JsonObject {
  const { [name]: _completed, ...others } = isObject(values) ? values : {};
  return others;
}

type Completed = Pick<Use, 'kind' | 'id'> & { ref: JsonObject };

function completed(ref: unknown): Completed | string {
  const { type, name, uri } = isObject(ref) ? ref : {};
  if (type === 'ref/prompt' && typeof name === 'string') {
    return { kind: 'prompt', id: name, ref: { type, name } };
  }
  if (type === 'ref/resource' && typeof uri === 'string') {
    return { kind: 'resource_template', id: uri, ref: { type, uri } };
  }
  return '/params/ref';
}

function metaOf(_meta: unknown): JsonObject {
  return isObject(_meta) ? { _meta } : {};
}

/** `task` is what a client of 2025-11-25 asks with for a task; later ones do not ask. */
function readCall(params: JsonObject): Use | string {
  const use = readNamed('tool', params);
  if (typeof use === 'string' || params['task'] === undefined) return use;
  if (eraOf({ params }) === 'modern') return use;
  const task = readTask(params['task']);
  return typeof task === 'string' ? task : { ...use, task };
}

export const CALL_TOOL: UseRule = {
  method: 'tools/call',
  read: readCall,
  shape: () => ({ of: 'tool' }),
  defer: deferCall,
};

export const GET_PROMPT: UseRule = {
  method: 'prompts/get',
  read: (params) => readNamed('prompt', params),
  shape: () => ({ of: 'prompt' }),
};

export const READ_RESOURCE: UseRule = {
  method: 'resources/read',
  read: readAddressed,
  shape: ({ id }) => ({ of: 'resource', uri: id }),
  tell: async ({ gate, exchange }, message) => {
    if (exchange.arrival.era === 'legacy') return message;
    const result = wireCopy(message['result']) as JsonObject;
    const { settings } = gate.parts;
    const ttl_ms_max = isRetry(exchange.arrival.request.params) ? 0 : settings.list_ttl_ms_max;
    return { ...message, result: privateCache(result, ttl_ms_max) };
  },
};

export const SUBSCRIBE: UseRule = {
  method: 'resources/subscribe',
  read: readAddressed,
  shape: () => ({ of: 'nothing' }),
  tell: async ({ gate, use, asker }, message) => {
    gate.subscriptions.add(use.id, asker);
    return message;
  },
};

export const UNSUBSCRIBE: UseRule = {
  method: 'resources/unsubscribe',
  read: readAddressed,
  shape: () => ({ of: 'nothing' }),
  tell: async ({ gate, use }, message) => {
    gate.subscriptions.remove(use.id);
    return message;
  },
};

export const COMPLETE: UseRule = {
  method: 'completion/complete',
  read: readCompletion,
  shape: () => ({ of: 'nothing' }),
  tell: tellCompletion,
};

/** Values for a template make addresses: only those that the caller may know of are told. */
async function tellCompletion(work: Work, message: JsonObject): Promise<JsonObject> {
  if (work.use.kind !== 'resource_template') return message;
  const result = wireCopy(message['result']) as JsonObject;
  const { completion } = result;
  const { values, hasMore } = isObject(completion) ? completion : {};
  const told = {
    values: await visibleValues(work, Array.isArray(values) ? values : []),
    ...(hasMore === true && { hasMore }),
  };
  return { ...message, result: { ...frameOf(result), completion: told } };
}

/** A value whose address cannot be made has nothing that policy could look at, and is not told. */
async function visibleValues(
  { gate, exchange, use, asker }: Work,
  values: readonly unknown[],
): Promise<unknown[]> {
  const argument = use.params['argument'] as { name: string };
  const addressed = values.flatMap((value) => {
    const uri = expandTemplate(use.id, { ...use.arguments, [argument.name]: value });
    return uri === undefined ? [] : [{ value, uri }];
  });
  const { server } = gate.parts.settings;
  const resources = addressed.map(({ uri }) => resourceNamed(server, 'resource', uri));
  const { digest } = await gate.catalogue('resource_template', exchange);
  const visible = await discover(gate, exchange, asker, resources, digest);
  return addressed.filter((_entry, index) => visible[index] === true).map(({ value }) => value);
}
