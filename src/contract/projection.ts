/**
 * Which arguments leave the server for the decision point: those that the rules read (requirement
 * E-18). Arrays go whole, since leaving items out would change their positions and number.
 */
import { pointerSteps } from './json.ts';
import type { Projection } from './types.gen.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** What may be used; of a caller's own making, it may name a type that MCP does not have. */
interface Named {
  type: string;
  id: string;
}

/** The part of `values` that the projection names for a thing; nothing where there is none. */
export function projectArguments(
  projection: Projection | undefined,
  server: string,
  resource: Named,
  values: JsonObject,
): JsonObject {
  const part: Record<string, unknown> = {};
  for (const pointer of pointersOf(projection, server, resource)) {
    if (pointer === '') return values;
    const steps = pointerSteps(pointer);
    if (steps !== undefined) copyPath(values, part, steps);
  }
  return part;
}

function pointersOf(
  projection: Projection | undefined,
  server: string,
  { type, id }: Named,
): readonly string[] {
  const pointers = projection?.pointers ?? {};
  return [`${type}:${server}/${id}`, `${type}:${server}/*`, '*'].flatMap((name) =>
    Object.hasOwn(pointers, name) ? (pointers[name] ?? []) : [],
  );
}

/** A `*` that is no name stands for any member: all of them go. */
function copyPath(from: JsonObject, to: Record<string, unknown>, steps: readonly string[]): void {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  if (!Object.hasOwn(from, step)) {
    if (step === '*') Object.assign(to, from);
    return;
  }
  const member = from[step];
  const taken = Object.hasOwn(to, step) ? to[step] : undefined;
  if (rest.length === 0 || !isObject(member)) {
    to[step] = member;
  } else if (taken !== member) {
    const part = isObject(taken) ? taken : {};
    to[step] = part;
    copyPath(member, part, rest);
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
