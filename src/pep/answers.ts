/**
 * Every answer that the guard gives itself. What a peer can see is made here and nowhere else, so
 * that a hidden tool and one that does not exist cannot come to differ.
 */
import { draftCode, safeMessage } from '../contract/reasons.ts';
import type { SchemaFault } from '../contract/validate.ts';
import { KINDS, type Kind } from './kinds.ts';
import type { Id } from './message.ts';
import { TASKS, type Era } from './methods.ts';
import type { StepUp } from './step_up.ts';

/** The SDK line of the guarded server: each has its own answer for what it does not know. */
export type ServerLine = 1 | 2;

/** The extension under which the guard declares itself and explains a refusal. */
export const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';

/** JSON-RPC 2.0, section 5.1. */
export const RPC = {
  INVALID_REQUEST: -32600,
  METHOD_NOT_FOUND: -32601,
  INVALID_PARAMS: -32602,
  INTERNAL_ERROR: -32603,
} as const;

/**
 * The code of a refusal by policy, the same in both eras: outside -32768..-32000, which JSON-RPC
 * and MCP keep for themselves.
 */
const REFUSED_CODE = 403;

/** What a client may do about a refusal. */
export type Retry =
  'never' | 'after_seconds' | 'after_approval' | 'with_step_up' | 'with_smaller_arguments';

export interface Refusal {
  reason_code: string;
  /** The policy's own sentence; else the one that belongs to the code. */
  safe_message?: string | undefined;
  /** Names this refusal to an operator. */
  request_id: string;
  /** The login that would do. */
  step_up?: Pick<StepUp, 'acr'> | undefined;
  /** Where the arguments break the tool's own schema. */
  arguments_fault?: SchemaFault | undefined;
}

const RETRIES: Readonly<Record<string, Retry>> = {
  APPROVAL_REQUIRED: 'after_approval',
  ARGUMENTS_INCOMPLETE: 'after_seconds',
  ARGUMENTS_TOO_LARGE: 'with_smaller_arguments',
  DEFINITION_CHANGED: 'after_seconds',
  POLICY_UNAVAILABLE: 'after_seconds',
  TOO_MANY_TASKS: 'after_seconds',
};

const SECONDS = 5;

export function retryOf(reason_code: string): Retry {
  return RETRIES[reason_code] ?? 'never';
}

function explain(refusal: Refusal): object {
  const { reason_code, safe_message, request_id, arguments_fault, step_up } = refusal;
  const retry = step_up ? 'with_step_up' : retryOf(reason_code);
  return {
    error: { code: draftCode(reason_code), message: safeMessage(reason_code, safe_message) },
    reason_code,
    retry,
    ...(retry === 'after_seconds' && { retry_after_seconds: SECONDS }),
    request_id,
    ...(arguments_fault && { arguments_fault }),
  };
}

/** A refused call of a visible tool: a result, so that a model can read it and react. */
export function refusedCall(id: Id, era: Era, refusal: Refusal): object {
  const fault = refusal.arguments_fault;
  const place = fault && `at \`${fault.pointer}\` (${fault.keyword})`;
  const hint = place ? ` The arguments do not fit the input schema of the tool ${place}.` : '';
  const result = {
    content: [
      { type: 'text', text: safeMessage(refusal.reason_code, refusal.safe_message) + hint },
    ],
    isError: true,
    _meta: { [EXTENSION]: explain(refusal) },
    ...(era === 'modern' && { resultType: 'complete' }),
  };
  return { jsonrpc: '2.0', id, result };
}

/** A refusal of everything that is not a tool call, or of those too where the setting says so. */
export function refusedRequest(id: Id, refusal: Refusal): object {
  const message = safeMessage(refusal.reason_code, refusal.safe_message);
  return failure(id, REFUSED_CODE, message, explain(refusal));
}

/**
 * The one answer for everything that the caller may not know of: what an `McpServer` of that line
 * says about a thing that was never registered, byte for byte.
 */
export function unknownItem(kind: Kind, line: ServerLine, id: Id, name: string): object {
  if (kind === 'resource') return unknownResource(line, id, name);
  const message = `${NOUNS[kind]} ${name} not found`;
  if (line === 2) return failure(id, RPC.INVALID_PARAMS, message);
  const text = `MCP error ${RPC.INVALID_PARAMS}: ${message}`;
  if (kind !== 'tool') return failure(id, RPC.INVALID_PARAMS, text);
  return { result: { content: [{ type: 'text', text }], isError: true }, jsonrpc: '2.0', id };
}

const NOUNS = { tool: 'Tool', prompt: 'Prompt', resource_template: 'Resource template' } as const;

/** 1.x says the address as its `URL` reads it, and 2.x as it was asked for. */
function unknownResource(line: ServerLine, id: Id, uri: string): object {
  const read = URL.parse(uri);
  if (line === 2) {
    return read
      ? failure(id, RPC.INVALID_PARAMS, `Resource not found: ${uri}`, { uri })
      : failure(id, RPC.INVALID_PARAMS, `Resource URI ${uri} is invalid`, {
          uri,
          reason: 'invalid_uri',
        });
  }
  if (!read) return failure(id, RPC.INTERNAL_ERROR, 'Invalid URL');
  return failure(
    id,
    RPC.INVALID_PARAMS,
    `MCP error ${RPC.INVALID_PARAMS}: Resource ${read.href} not found`,
  );
}

/**
 * The one answer for a task that the caller does not own, or that is none: what a server of 1.x
 * says. 2.x has no tasks of its own and is given the same sentences.
 */
export function unknownTask(method: string, line: ServerLine, id: Id, task_id: string): object {
  const said =
    method === 'tasks/get'
      ? 'Failed to retrieve task: Task not found'
      : `Task not found: ${task_id}`;
  const message = line === 1 ? `MCP error ${RPC.INVALID_PARAMS}: ${said}` : said;
  return failure(id, RPC.INVALID_PARAMS, message);
}

/** MCP 2026-07-28: the request needs what the client did not say that it can do. */
export const MISSING_CAPABILITY = -32021;

/** An operation on a task by a client that does not say that it takes tasks (2026-07-28). */
export function missingTasks(id: Id): object {
  const requiredCapabilities = { extensions: { [TASKS]: {} } };
  return failure(id, MISSING_CAPABILITY, 'Missing required client capability', {
    requiredCapabilities,
  });
}

/** A method that does not exist, or whose handling is not enforced. */
export function deniedMethod(id: Id): object {
  const reason_code = 'UNKNOWN_METHOD_DENIED';
  const error = { code: reason_code, message: safeMessage(reason_code) };
  return failure(id, RPC.METHOD_NOT_FOUND, 'Method not found', { error });
}

/** `id` is undefined where the message had none that can be repeated. */
export function invalidRequest(id: Id | undefined, pointer: string): object {
  return failure(id, RPC.INVALID_REQUEST, 'Invalid request', { pointer });
}

export function invalidParams(id: Id, method: string, pointer: string): object {
  return failure(id, RPC.INVALID_PARAMS, `Invalid ${method} request`, { pointer });
}

/** A state that was not given for this request, in the words of 2.x, which has such states. */
export function invalidState(id: Id): object {
  const data = { reason: 'invalid_request_state' };
  return failure(id, RPC.INVALID_PARAMS, 'Invalid or expired requestState', data);
}

/** A list with nothing in it, for a caller that nobody could prove. */
export function emptyList(kind: Kind, id: Id, era: Era): object {
  const cache = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
  const result = { [KINDS[kind].member]: [], ...(era === 'modern' && cache) };
  return { jsonrpc: '2.0', id, result };
}

export function failure(id: Id | undefined, code: number, message: string, data?: unknown): object {
  const error = { code, message, ...(data !== undefined && { data }) };
  return { jsonrpc: '2.0', ...(id !== undefined && { id }), error };
}
