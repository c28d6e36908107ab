/**
 * What a client offers to be asked for. A server is told of exactly this part of a client's
 * capabilities, because exactly these requests are decided on; and the guard itself asks for no
 * more, whatever the server believes (MCP 2026-07-28, mrtr, server requirements).
 */
import { isObject, type JsonObject } from './message.ts';

/** The capabilities of a client that are told, with the members that MCP defines. */
export type ClientOffers = Readonly<
  Partial<Record<'sampling' | 'roots' | 'elicitation', JsonObject>>
>;

export function offersOf(capabilities: unknown): ClientOffers {
  const { sampling, roots, elicitation } = isObject(capabilities) ? capabilities : {};
  return {
    ...(isObject(sampling) && { sampling: namesOf(sampling, ['context', 'tools']) }),
    ...(isObject(roots) && { roots: roots['listChanged'] === true ? { listChanged: true } : {} }),
    ...(isObject(elicitation) && { elicitation: namesOf(elicitation, ['form', 'url']) }),
  };
}

/** Of each only that it is there. */
function namesOf(offered: JsonObject, names: readonly string[]): JsonObject {
  const there = names.filter((name) => isObject(offered[name]));
  return Object.fromEntries(there.map((name) => [name, {}]));
}

/** Whether a client offers to be asked for this. */
export function isOffered(
  { sampling, roots, elicitation }: ClientOffers,
  { method, params }: { method: string; params: JsonObject },
): boolean {
  if (method === 'roots/list') return roots !== undefined;
  if (method === 'sampling/createMessage') {
    const with_tools = params['tools'] !== undefined || params['toolChoice'] !== undefined;
    return sampling !== undefined && (!with_tools || sampling['tools'] !== undefined);
  }
  if (method !== 'elicitation/create' || elicitation === undefined) return false;
  const { form, url } = elicitation;
  if (params['mode'] === 'url') return url !== undefined;
  // The capability without members is that of the time when forms were all there was.
  return form !== undefined || url === undefined;
}
