/**
 * JSON-RPC messages as the guard knows them. What a client sends is captured once: copied, checked
 * to be I-JSON, and frozen. Only the copy is decided on, and the server is given a copy of it, so
 * that nothing can change between the decision and the execution.
 */
import { JSON_LIMITS, jsonPointer } from '../contract/json.ts';

export type Id = string | number;
export type JsonObject = Readonly<Record<string, unknown>>;

export interface Request {
  kind: 'request';
  id: Id;
  method: string;
  params: JsonObject;
}

export interface Notification {
  kind: 'notification';
  method: string;
  params: JsonObject;
}

/** An answer, with its result or error as it came. */
export interface Answer {
  kind: 'answer';
  id: Id;
  body: { result: unknown } | { error: unknown };
}

/** Not a message; `id` only where an answer can be addressed. */
export interface Malformed {
  kind: 'malformed';
  id?: Id;
  pointer: string;
}

export type Message = Request | Notification | Answer | Malformed;

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

/** Captures a message of a client: a frozen copy, or why it is none. */
export function captureMessage(raw: unknown): Message {
  const path: string[] = [];
  const copy = freezeCopy(raw, path);
  if (copy === REFUSED) return { kind: 'malformed', ...idOf(raw), pointer: jsonPointer(path) };
  return readMessage(copy);
}

/** A frozen copy of an object; undefined where it is not I-JSON. */
export function captureJson(raw: unknown): JsonObject | undefined {
  const copy = freezeCopy(raw, []);
  return isObject(copy) ? copy : undefined;
}

/** Reads the frame of a message; its params, result or error stay as they are. */
export function readMessage(value: unknown): Message {
  if (!isObject(value)) return { kind: 'malformed', pointer: '' };
  const { id, method, params } = value;
  const fault = frameFault(value);
  if (fault !== undefined) return { kind: 'malformed', ...idOf(value), pointer: fault };
  if (typeof method !== 'string') return readAnswer(value);
  const captured = { method, params: (params ?? NO_PARAMS) as JsonObject };
  if (id === undefined) return { kind: 'notification', ...captured };
  return { kind: 'request', id: id as Id, ...captured };
}

const NO_PARAMS: JsonObject = Object.freeze({});

/** A result may not ride on a request: readers would differ on what the message is. */
function frameFault(value: Record<string, unknown>): string | undefined {
  const { jsonrpc, id, method, params, result, error } = value;
  const unknownMember = Object.keys(value).find((name) => !MEMBERS.has(name));
  if (unknownMember !== undefined) return jsonPointer([unknownMember]);
  if (jsonrpc !== '2.0') return '/jsonrpc';
  if (id !== undefined && !isId(id)) return '/id';
  if (params !== undefined && !isObject(params)) return '/params';
  if (method === undefined) {
    if (id === undefined || params !== undefined) return '/method';
    return (result === undefined) === (error === undefined) ? '/result' : undefined;
  }
  if (typeof method !== 'string') return '/method';
  if (result !== undefined) return '/result';
  return error === undefined ? undefined : '/error';
}

function readAnswer({ id, result, error }: Record<string, unknown>): Answer {
  const body = error === undefined ? { result } : { error };
  return { kind: 'answer', id: id as Id, body };
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function idOf(value: unknown): { id?: Id } {
  return isObject(value) && isId(value['id']) ? { id: value['id'] } : {};
}

/** An object that is no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A result without a type is complete (MCP 2026-07-28, basic, responses). */
export function isComplete({ resultType }: JsonObject): boolean {
  return resultType === undefined || resultType === 'complete';
}

const REFUSED = Symbol('not I-JSON');

/** Leaves `path` at the fault. Getters are read once; prototypes and symbols are left behind. */
function freezeCopy(value: unknown, path: string[]): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : REFUSED;
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : REFUSED;
  if (typeof value !== 'object' || path.length >= JSON_LIMITS.depth_max) return REFUSED;
  return Array.isArray(value) ? freezeArray(value, path) : freezeObject(value, path);
}

function freezeArray(value: readonly unknown[], path: string[]): unknown {
  const copy: unknown[] = [];
  for (let index = 0; index < value.length; index += 1) {
    path.push(String(index));
    const member = freezeCopy(value[index], path);
    if (member === REFUSED) return REFUSED;
    path.pop();
    copy.push(member);
  }
  return Object.freeze(copy);
}

function freezeObject(value: object, path: string[]): unknown {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    path.push(name);
    const captured =
      name.isWellFormed() && name !== '__proto__' ? freezeCopy(member, path) : REFUSED;
    if (captured === REFUSED) return REFUSED;
    path.pop();
    copy[name] = captured;
  }
  return Object.freeze(copy);
}

/** A copy that its receiver may change. */
export function mutableCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mutableCopy);
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) copy[name] = mutableCopy(member);
  }
  return copy;
}

/** What a value says on the wire, with `toJSON` and getters read once; undefined where nothing. */
export function wireCopy(value: unknown): unknown {
  try {
    const text: unknown = JSON.stringify(value);
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
