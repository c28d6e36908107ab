/** Any AuthZEN decision point, asked with our profiled request (Authorization API 1.0). */
import { digestOf } from '../../contract/digest.ts';
import type { Resource } from '../../contract/types.gen.ts';
import { invalidAnswer, type ForeignClient } from '../foreign/client.ts';
import type { ForeignBackend, ForeignPolicy } from '../foreign/evaluator.ts';
import { listEach } from '../foreign/list_each.ts';
import { members } from '../request.ts';
import { showsResource } from '../result.ts';
import type { PolicyInput } from '../types.ts';
import { readDecision, requireObject } from './answer.ts';
import { readMetadata, type Endpoints } from './metadata.ts';

export interface AuthzenSettings {
  /** Its address, which its metadata must name just so, or its socket. */
  server: string;
  /** Of single evaluations; null where the metadata tells it. */
  path: string | null;
  /** Of many evaluations, beside `path`; null where they are asked for one by one. */
  discovery_path: string | null;
}

/** Statuses that are about the request (section 10.1.2), not about who sent it. */
const REFUSALS = [400, 413, 422];

/** Some decision points refuse a subject without a role. */
const NO_GROUP = 'portcullis:no_group';

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
  { server }: AuthzenSettings,
): ForeignPolicy {
  const ask = (path: string, body: object): Promise<unknown> =>
    client.send({ path, body, refusals: REFUSALS });
  const evaluate = async (input: PolicyInput): Promise<unknown> =>
    readDecision(await ask(evaluation, withRoles(input)));
  return {
    identity: {
      revision: 'unversioned',
      digest: digestOf({ backend: 'authzen', server, evaluation, evaluations }),
    },
    evaluate,
    async list(input, resources) {
      if (evaluations === null) {
        return listEach(resources, (resource) => evaluate({ ...input, resource }));
      }
      const body = {
        ...withRoles(input),
        evaluations: resources.map((resource) => ({ resource })),
      };
      return visibleOf(await ask(evaluations, body), resources);
    },
  };
}

/** Positions are all that ties an answer to its question (section 7.2). */
function visibleOf(answer: unknown, resources: readonly Resource[]): number[] {
  const { evaluations } = requireObject(answer, 'its answer');
  if (!Array.isArray(evaluations)) throw invalidAnswer('`evaluations` is no array');
  if (evaluations.length !== resources.length) {
    throw invalidAnswer(`it answered ${evaluations.length} of ${resources.length} questions`);
  }
  const shown = evaluations.map((each: unknown) => showsResource(readDecision(each)));
  return [...shown.keys()].filter((position) => shown[position]);
}

/** AuthZEN has no word for groups, and decision points read `roles`. */
function withRoles(input: PolicyInput): PolicyInput {
  const { properties, ...subject } = members(input.subject);
  const { groups } = members(properties);
  const roles = Array.isArray(groups) && groups.length > 0 ? groups : [NO_GROUP];
  return { ...input, subject: { ...subject, properties: { ...members(properties), roles } } };
}
