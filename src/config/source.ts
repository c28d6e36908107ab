/** Where settings come from: a file, the environment, the command line. */
import { jsonPointer } from '../contract/json.ts';
import { PortcullisError } from '../errors.ts';

export interface Source {
  /** In the shape of the file, not yet judged. */
  settings: unknown;
  /** Where a setting of it stands, for messages, such as `portcullis.yaml:3:5`. */
  place(path: readonly string[]): string;
  /** Where its relative paths start. */
  folder: string;
}

/** The settings that a command was given as options. */
export function optionsSource(settings: object, folder: string): Source {
  return { settings, place: () => 'the command line', folder };
}

/** What stands at a path, or undefined. */
export function valueAt(settings: unknown, path: readonly string[]): unknown {
  let value = settings;
  for (const step of path) {
    const holder = isGroup(value) || Array.isArray(value) ? (value as object) : {};
    value = Object.hasOwn(holder, step) ? (holder as Record<string, unknown>)[step] : undefined;
  }
  return value;
}

/** Lays a value at a path, making the groups that hold it. */
export function putAt(
  settings: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): void {
  let group = settings;
  for (const step of path.slice(0, -1)) group = (group[step] ??= {}) as Record<string, unknown>;
  group[path.at(-1) ?? ''] = value;
}

export function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function invalid(
  message: string,
  path: readonly string[] = [],
  cause?: unknown,
): PortcullisError {
  const pointer = path.length === 0 ? {} : { pointer: jsonPointer(path) };
  return new PortcullisError('CONFIGURATION_INVALID', message, { ...pointer, cause });
}

const NAME_LENGTH_TOLD = 64;

/** A name that somebody else chose, made fit for a message. */
export function quoted(name: string): string {
  const text = JSON.stringify(name.slice(0, NAME_LENGTH_TOLD)).slice(1, -1).replaceAll('`', "'");
  return `\`${text}${name.length > NAME_LENGTH_TOLD ? '…' : ''}\``;
}
