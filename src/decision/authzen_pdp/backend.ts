/** Any AuthZEN decision point, asked with our profiled request (Authorization API 1.0). */
import { digestOf } from '../../contract/digest.ts';
import type { Resource } from '../../contract/types.gen.ts';
import { invalidAnswer, type ForeignClient } from '../foreign/client.ts';
import type { ForeignBackend, ForeignPolicy } from '../foreign/evaluator.ts';
import { listEach } from '../foreign/list_each.ts';
import { requireObject } from '../foreign/words.ts';
import { members } from '../request.ts';
import { listedText, type ListedText } from '../listing.ts';
import type { PolicyInput } from '../types.ts';
import { readDecision } from './answer.ts';
import { readMetadata, type Endpoints } from './metadata.ts';

export interface AuthzenSettings {
  /** Its address, which its metadata must name just so, or its socket. */
  server: string;
  /** Of single evaluations; null where the metadata tells it. */
  path: string | null;
  /** Of many evaluations, beside `path`; null where they are asked for one by one. */
  discovery_path: string | null;
  /** Member of `subject.properties` that holds the groups, which AuthZEN has no word for. */
  roles_member: string;
  /** Most evaluations in one request. */
  batch_items_max: number;
}

/** Statuses that are about the request (section 10.1.2), not about who sent it. */
const REFUSALS = [400, 413, 422];

/** Not all look at the phase: what a list asks has the name of the method that lists. */
const LISTS: Readonly<Partial<Record<Resource['type'], string>>> = {
  tool: 'tools/list',
  resource: 'resources/list',
  resource_template: 'resources/templates/list',
  prompt: 'prompts/list',
  task: 'tasks/list',
};

export function authzenPdp(client: ForeignClient, settings: AuthzenSettings): ForeignBackend {
  return {
    async look() {
      const endpoints = await endpointsOf(client, settings);
      return policyAt(client, endpoints, settings);
    },
    close: client.close,
  };
}

async function endpointsOf(
  client: ForeignClient,
  { server, path, discovery_path }: AuthzenSettings,
): Promise<Endpoints> {
  if (path !== null) return { evaluation: path, evaluations: discovery_path };
  return readMetadata(client, server);
}

function policyAt(
  client: ForeignClient,
  { evaluation, evaluations }: Endpoints,
  { server, roles_member, batch_items_max }: AuthzenSettings,
): ForeignPolicy {
  const ask = (path: string, body: object): Promise<unknown> =>
    client.send({ path, body, refusals: REFUSALS });
  const evaluate = async (input: PolicyInput): Promise<unknown> =>
    readDecision(await ask(evaluation, withRoles(input, roles_member)));
  return {
    identity: {
      revision: 'unversioned',
      digest: digestOf({ backend: 'authzen', server, evaluation, evaluations }),
    },
    evaluate,
    async list(input, resources) {
      const asked = resources.map((resource) => ({ resource, action: listing(input, resource) }));
      if (evaluations === null) {
        return listEach(asked, (entities) => evaluate({ ...input, ...entities }));
      }
      const { action: _, ...shared } = withRoles(input, roles_member);
      const listed: ListedText[] = [];
      for (let start = 0; start < asked.length; start += batch_items_max) {
        const batch = asked.slice(start, start + batch_items_max);
        const answer = await ask(evaluations, { ...shared, evaluations: batch });
        listed.push(...listedBy(answer, batch.length));
      }
      return listed;
    },
  };
}

function listing({ action }: PolicyInput, { type }: Resource): object {
  const name = LISTS[type];
  return name === undefined ? action : { name, properties: { verb: 'list' } };
}

/** Positions are all that ties an answer to its question (section 7.2). */
function listedBy(answer: unknown, asked: number): ListedText[] {
  const { evaluations } = requireObject(answer, 'its answer');
  if (!Array.isArray(evaluations)) throw invalidAnswer('`evaluations` is no array');
  if (evaluations.length !== asked) {
    throw invalidAnswer(`it answered ${evaluations.length} of ${asked} questions`);
  }
  return evaluations.map((each: unknown) => listedText(readDecision(each)));
}

/** What we say of the subject stays, whatever the member is called. */
function withRoles(input: PolicyInput, roles_member: string): PolicyInput {
  const { properties, ...subject } = members(input.subject);
  const { groups } = members(properties);
  if (groups === undefined) return input;
  const named = { [roles_member]: groups, ...members(properties) };
  return { ...input, subject: { ...subject, properties: named } };
}
