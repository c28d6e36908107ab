/**
 * The gate in front of every schema: bytes become a value only if they are I-JSON (RFC 7493) within
 * limits. Two readers of one text must see one value, so doubled names, lone surrogates and numbers
 * beyond a double are refused rather than repaired; `__proto__` is refused because later copies of
 * the value would lose or obey it.
 */

export interface JsonLimits {
  /** Largest text, in bytes of UTF-8. */
  size_bytes_max: number;
  /** Deepest nesting of arrays and objects. */
  depth_max: number;
}

export const JSON_LIMITS: JsonLimits = { size_bytes_max: 1_048_576, depth_max: 64 };

const POINTER_LENGTH_MAX = 256;

/** Why a text is not taken; `pointer` names the innermost place that is known (RFC 6901). */
export interface JsonFault {
  code:
    | 'too_large'
    | 'not_utf8'
    | 'malformed'
    | 'too_deep'
    | 'duplicate_name'
    | 'lone_surrogate'
    | 'forbidden_name'
    | 'number_out_of_range';
  pointer: string;
}

export type JsonResult = { ok: true; value: unknown } | { ok: false; fault: JsonFault };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads bytes or text as I-JSON. Never throws and never quotes the input. */
export function parseJson(
  source: Uint8Array | string,
  limits: JsonLimits = JSON_LIMITS,
): JsonResult {
  if (Buffer.byteLength(source) > limits.size_bytes_max) return refuse('too_large', []);
  const text = decode(source);
  if (text === undefined) return refuse('not_utf8', []);
  const structure = scanStructure(text, limits.depth_max);
  if ('code' in structure) return { ok: false, fault: structure };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('malformed', []);
  }
  const walk: Walk = { members: 0, path: [] };
  const code = inspect(value, walk);
  if (code !== undefined) return refuse(code, walk.path);
  if (walk.members !== structure.members) return refuse('duplicate_name', duplicatePath(text));
  return { ok: true, value };
}

function decode(source: Uint8Array | string): string | undefined {
  if (typeof source === 'string') return source.isWellFormed() ? source : undefined;
  try {
    return utf8.decode(source);
  } catch {
    return undefined;
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const COMMA = 44;

const opens = (code: number): boolean => code === 0x7b || code === 0x5b;
const closes = (code: number): boolean => code === 0x7d || code === 0x5d;

/**
 * Counts the members that the text writes and bounds its depth before anything is built. The parsed
 * value has fewer members than the text exactly when a name was doubled.
 */
function scanStructure(text: string, depth_max: number): { members: number } | JsonFault {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COLON) members += 1;
    else if (opens(code)) {
      depth += 1;
      if (depth > depth_max) return { code: 'too_deep', pointer: '' };
    } else if (closes(code)) depth -= 1;
  }
  return { members };
}

/** Index of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  // Where there is no quote, nothing escapes it.
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}

interface Walk {
  members: number;
  path: string[];
}

/**
 * Puts `walk.path` together on the way back from a fault, so that what has none pays nothing for
 * it. Recursion is bounded by the depth that was scanned before.
 */
function inspect(value: unknown, walk: Walk): JsonFault['code'] | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : 'lone_surrogate';
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'number_out_of_range';
  if (typeof value !== 'object' || value === null) return undefined;
  return Array.isArray(value) ? inspectItems(value, walk) : inspectMembers(value, walk);
}

function inspectItems(items: readonly unknown[], walk: Walk): JsonFault['code'] | undefined {
  for (let i = 0; i < items.length; i += 1) {
    const code = inspect(items[i], walk);
    if (code === undefined) continue;
    walk.path.unshift(String(i));
    return code;
  }
  return undefined;
}

function inspectMembers(value: object, walk: Walk): JsonFault['code'] | undefined {
  for (const name of Object.keys(value)) {
    const fault = inspectName(name, walk);
    if (fault !== undefined) return fault;
    const code = inspect((value as Record<string, unknown>)[name], walk);
    if (code === undefined) continue;
    walk.path.unshift(name);
    return code;
  }
  return undefined;
}

function inspectName(name: string, walk: Walk): JsonFault['code'] | undefined {
  walk.members += 1;
  if (name === '__proto__') return 'forbidden_name';
  return name.isWellFormed() ? undefined : 'lone_surrogate';
}

/** Path of the object that doubles a name. Runs only on text that JSON.parse has accepted. */
function duplicatePath(text: string): string[] {
  // Of each array and object that is open: the names met so far, and the step to what is inside.
  const frames: { names: Set<string>; step: string | number }[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const frame = frames.at(-1);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      if (frame && nextCode(text, end + 1) === COLON) {
        const name = JSON.parse(text.slice(i, end + 1)) as string;
        if (frame.names.has(name)) return frames.slice(0, -1).map(({ step }) => String(step));
        frame.names.add(name);
        frame.step = name;
      }
      i = end;
    } else if (opens(code)) frames.push({ names: new Set(), step: 0 });
    else if (closes(code)) frames.pop();
    else if (code === COMMA && typeof frame?.step === 'number') frame.step += 1;
  }
  return [];
}

function nextCode(text: string, from: number): number {
  let i = from;
  while (text.charCodeAt(i) <= 32) i += 1;
  return text.charCodeAt(i);
}

/** Names come from the sender: a pointer that grew beyond the limit ends at an outer place. */
function refuse(code: JsonFault['code'], path: readonly string[]): JsonResult {
  let pointer = jsonPointer(path);
  while (pointer.length > POINTER_LENGTH_MAX) pointer = pointer.slice(0, pointer.lastIndexOf('/'));
  return { ok: false, fault: { code, pointer } };
}

/** Joins reference tokens into a JSON Pointer (RFC 6901, section 3). */
export function jsonPointer(path: readonly string[]): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Splits a JSON Pointer into its reference tokens; undefined where it is none. */
export function pointerSteps(pointer: string): string[] | undefined {
  if (pointer === '') return [];
  if (!/^\/([^~]|~[01])*$/u.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
