/** A decision service that speaks the SEP's external decision profile. */
import { digestOf } from '../../contract/digest.ts';
import type { Resource } from '../../contract/types.gen.ts';
import { invalidAnswer, type ForeignClient } from '../foreign/client.ts';
import type { ForeignBackend, ForeignPolicy } from '../foreign/evaluator.ts';
import { listEach } from '../foreign/list_each.ts';
import { members } from '../request.ts';
import { showsResource } from '../result.ts';
import type { PolicyInput } from '../types.ts';
import { readSepAnswer } from './answer.ts';
import { actionOf, listActionsOf, sepRequestOf } from './request.ts';

export interface SepSettings {
  /** Its address or socket. */
  server: string;
  /** Where it is asked; null for that of the draft's own examples. */
  path: string | null;
}

/** As ours (docs/api.md): the draft fixes a message, and no address. */
const PATH = '/v1/decision';

/** Statuses that are about the request, not about who sent it. */
const REFUSALS = [400, 413, 422];

/** Nothing is asked of what the profile has no word for (requirement E-10). */
const WORDLESS = { decision: 'deny', reason_code: 'UNKNOWN_METHOD_DENIED' } as const;

export function sepPdp(client: ForeignClient, { server, path }: SepSettings): ForeignBackend {
  const asked = path ?? client.base + PATH;
  return {
    async look() {
      return policyAt(client, asked, server);
    },
    close: client.close,
  };
}

function policyAt(client: ForeignClient, path: string, server: string): ForeignPolicy {
  const ask = async (input: PolicyInput, action: string): Promise<unknown> => {
    const body = sepRequestOf(input, action);
    if (!body) throw invalidAnswer('what is asked cannot be said in its profile');
    return readSepAnswer(await client.send({ path, body, refusals: REFUSALS }));
  };
  return {
    identity: {
      revision: 'unversioned',
      digest: digestOf({ backend: 'sep', server, path }),
    },
    async evaluate(input) {
      const action = actionOf(members(input.resource).type, members(input.action).name);
      return action === undefined ? WORDLESS : ask(input, action);
    },
    list: (input, resources) =>
      listEach(resources, (resource) => askToList(ask, { ...input, resource }, resource)),
  };
}

/**
 * The profile has no question for a list. An item is shown where it could be used; where it could
 * not, it may still be listed by itself.
 */
async function askToList(
  ask: (input: PolicyInput, action: string) => Promise<unknown>,
  input: PolicyInput,
  { type }: Resource,
): Promise<unknown> {
  let answer: unknown = WORDLESS;
  for (const action of listActionsOf(type)) {
    answer = await ask(input, action);
    if (showsResource(answer)) break;
  }
  return answer;
}
