/**
 * Masking by policy: what a mask rule names is taken out before a record is made, in the words and
 * with the semantics of OPA's decision log (OPA documentation, "Masking Sensitive Data"). What does
 * not read as a mask is no mask, and then there is no record.
 */
import { members, type Members } from './request.ts';

/** What a record is made from. */
export interface Maskable {
  input?: unknown;
  result?: unknown;
}

/** The same after masking, with the paths that are no longer what they were; never values. */
export interface Masked extends Maskable {
  erased: string[];
  masked: string[];
}

/** Takes a value away, or puts another in its place. */
export interface MaskOperation {
  op: 'remove' | 'upsert';
  /** The steps of its JSON Pointer (RFC 6901); the first is `input` or `result`. */
  steps: readonly string[];
  value?: unknown;
}

/** A mask that cannot be followed; the message is for operators and holds no value. */
export class MaskFault extends Error {}

/** Of one evaluation: of a list, for each part of it. */
const OPERATIONS_MAX = 1024;
/** As the `erased` and `masked` of evidence_record.schema.json: two of each item of a list. */
const PATHS_MAX = 20_000;
const PATH_CHARACTERS_MAX = 1024;

/**
 * The operations that a raw mask stands for, each once and in the order in which OPA applies those
 * of a set; undefined is none. Throws `MaskFault`.
 */
export function readMask(raw: unknown): readonly MaskOperation[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw)) throw new MaskFault('it is no set of paths and operations');
  if (raw.length > OPERATIONS_MAX) {
    throw new MaskFault(`it holds more than ${OPERATIONS_MAX} operations`);
  }
  const named = new Map(raw.map((one: unknown) => [orderOf(one), readOperation(one)]));
  return [...named.keys()].toSorted().map((name) => named.get(name) as MaskOperation);
}

const MEMBERS: ReadonlySet<string> = new Set(['op', 'path', 'value']);

function readOperation(raw: unknown): MaskOperation {
  if (typeof raw === 'string') return { op: 'remove', steps: readPath(raw) };
  const { op, path, value = null } = members(raw);
  const isKnown = Object.keys(members(raw)).every((name) => MEMBERS.has(name));
  if ((op !== 'remove' && op !== 'upsert') || !isKnown) {
    throw new MaskFault('one of its operations is neither a path nor {op, path, value}');
  }
  return { op, steps: readPath(path), value };
}

function readPath(path: unknown): readonly string[] {
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new MaskFault('one of its paths is no JSON Pointer');
  }
  demandShort(path);
  const steps = path.slice(1).split('/').map(readStep);
  if (steps[0] === 'input' || steps[0] === 'result') return steps;
  throw new MaskFault('one of its paths is neither of /input nor of /result');
}

function demandShort(path: string): void {
  if (path.length <= PATH_CHARACTERS_MAX) return;
  throw new MaskFault(`one of its paths has more than ${PATH_CHARACTERS_MAX} characters`);
}

function readStep(step: string): string {
  if (/~(?![01])/.test(step)) throw new MaskFault('one of its paths is no JSON Pointer');
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Texts before objects, and those by their operation, their path and their value, as in Rego. */
function orderOf(raw: unknown): string {
  if (typeof raw === 'string') return `0${raw}`;
  const { op, path, value } = members(raw);
  return ['1', op, path, JSON.stringify(value)].join('\0');
}

/** The JSON Pointer of some steps. */
function pathOf(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * Applies operations to a value that belongs to whoever calls: it is changed. A path that leads
 * nowhere is passed over and not told. Throws `MaskFault` where there is more to tell than a record
 * holds, as the parts of a long list may make it.
 */
export function applyMask(event: Maskable, operations: readonly MaskOperation[]): Masked {
  const erased = new Set<string>();
  const masked = new Set<string>();
  for (const { op, steps, value } of operations) {
    const isRemoved = op === 'remove';
    const done = isRemoved ? remove(event, steps) : upsert(event, steps, value);
    if (done) (isRemoved ? erased : masked).add(pathOf(steps));
  }
  demandRoom(erased);
  demandRoom(masked);
  return { ...event, erased: [...erased], masked: [...masked] };
}

function demandRoom(paths: ReadonlySet<string>): void {
  if (paths.size > PATHS_MAX) throw new MaskFault(`it names more than ${PATHS_MAX} values`);
  for (const path of paths) demandShort(path);
}

function remove(root: object, steps: readonly string[]): boolean {
  const parent = walk(root, steps.slice(0, -1));
  if (parent === undefined) return false;
  const name = nameIn(parent, steps.at(-1) as string);
  if (name === undefined) return false;
  if (!Array.isArray(parent)) return Reflect.deleteProperty(parent, name);
  parent.splice(Number(name), 1);
  return true;
}

/** Members that are missing on the way are made, as OPA makes them; items of a list are not. */
function upsert(root: object, steps: readonly string[], value: unknown): boolean {
  if (!Object.hasOwn(root, steps[0] as string)) return false;
  const last = steps.at(-1) as string;
  const parent = walk(root, steps.slice(0, -1), true);
  if (parent === undefined) return false;
  const name = Array.isArray(parent) ? nameIn(parent, last) : last;
  if (name === undefined) return false;
  put(parent, name, structuredClone(value));
  return true;
}

/** The object or list at the end of some steps. */
function walk(root: object, steps: readonly string[], makes = false): object | undefined {
  let at: unknown = root;
  for (const step of steps) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (makes && !Array.isArray(at) && !Object.hasOwn(at, step)) put(at, step, {});
    const name = nameIn(at, step);
    at = name === undefined ? undefined : (at as Members)[name];
  }
  return typeof at === 'object' && at !== null ? at : undefined;
}

/** The name of the member or item that a step leads to, where it is there. */
function nameIn(at: object, step: string): string | undefined {
  const name = Array.isArray(at) ? String(readPosition(step)) : step;
  return Object.hasOwn(at, name) ? name : undefined;
}

/** As OPA reads it: `01` and `+1` are 1, and what it removes must not stay because it is odd. */
export function readPosition(step: string): number | undefined {
  return /^(?:\+?\d+|-0+)$/.test(step) ? Number(step) : undefined;
}

/** Also a member whose name an assignment would take for something else. */
function put(target: object, name: string, value: unknown): void {
  const descriptor = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(target, name, descriptor);
}
