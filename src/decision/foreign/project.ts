/** What leaves for a server that is not ours: the arguments that the settings name, no others. */
import { digestOf } from '../../contract/digest.ts';
import { projectArguments } from '../../contract/projection.ts';
import type { Projection } from '../../contract/types.gen.ts';
import { members } from '../request.ts';
import type { PolicyInput } from '../types.ts';

/**
 * Reads entries such as `tool:payments/transfer /amount`; without a pointer it is all arguments.
 */
export function projectionOf(entries: readonly string[]): Projection {
  const sets = new Map<string, Set<string>>();
  for (const entry of entries) {
    const [name = '', pointer = ''] = entry.split(' ');
    sets.set(name, (sets.get(name) ?? new Set()).add(pointer));
  }
  const pointers = Object.fromEntries([...sets].map(([name, set]) => [name, [...set].toSorted()]));
  return { digest: digestOf(pointers), pointers };
}

/** A caller that follows no projection may have sent more than the server is to see. */
export function projectInput(input: PolicyInput, projection: Projection): PolicyInput {
  const { arguments: sent, ...context } = members(input.context);
  if (sent === undefined) return input;
  const { type, id, properties } = members(input.resource);
  const named = { type: String(type), id: String(id) };
  const server = String(members(properties).server);
  const args = projectArguments(projection, server, named, members(sent));
  return { ...input, context: { ...context, arguments: args } };
}
