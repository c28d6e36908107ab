/**
 * What a log line may hold. Fields are copied, never changed; a value under a name that bears
 * secrets is left out whatever it is; what is too long, too deep or no JSON becomes a short note.
 */
import { PortcullisError } from '../errors.ts';
import type { LogFields } from './logger.ts';

/** Ends of names, whether written `access_token`, `accessToken` or `X-Access-Token`. */
const SECRET_NAME = new RegExp(
  '(' +
    [
      'arguments',
      'assertion',
      'authori[sz]ation',
      'cookie',
      'credentials?',
      '(api|private|secret|signing|encryption)[_-]?key',
      'pass(word|phrase|wd)',
      'secret',
      'token',
    ].join('|') +
    ')$',
  'i',
);

const DEPTH_MAX = 6;
const ITEMS_MAX = 100;
const STRING_CHARACTERS_MAX = 4096;

/** A copy of the fields that can be written as JSON and holds no secret by name. */
export function redact(fields: LogFields): LogFields {
  return copyMembers(Object.entries(fields), 0);
}

function copyMembers(entries: [string, unknown][], depth: number): LogFields {
  const copy: LogFields = Object.fromEntries(
    entries
      .slice(0, ITEMS_MAX)
      .map(([name, value]) => [
        name,
        SECRET_NAME.test(name) ? '[redacted]' : copyValue(value, depth),
      ]),
  );
  if (entries.length > ITEMS_MAX) copy['…'] = `[${entries.length - ITEMS_MAX} more]`;
  return copy;
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return copyString(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEPTH_MAX) return '[deeper]';
  if (Array.isArray(value)) return copyArray(value, depth + 1);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return copyError(value, depth + 1);
  if (value instanceof Date) return value.toJSON();
  return copyMembers(Object.entries(value), depth + 1);
}

function copyString(value: string): string {
  if (value.length <= STRING_CHARACTERS_MAX) return value;
  const more = value.length - STRING_CHARACTERS_MAX;
  return `${value.slice(0, STRING_CHARACTERS_MAX)}[${more} more]`;
}

function copyArray(items: readonly unknown[], depth: number): unknown[] {
  const copy = items.slice(0, ITEMS_MAX).map((item) => copyValue(item, depth));
  if (items.length > ITEMS_MAX) copy.push(`[${items.length - ITEMS_MAX} more]`);
  return copy;
}

/** Our own errors say where they come from by their code; of others the stack is worth its room. */
function copyError(error: Error, depth: number): LogFields {
  const { name, message, cause } = error;
  const { code } = error as { code?: unknown };
  const stack = error instanceof PortcullisError ? undefined : error.stack;
  const members = { name, code, message, stack, cause };
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return copyMembers(entries, depth);
}
