/**
 * An OPA server as a decision point: one rule is asked over its data API, with the input that a
 * compiled policy sees and judged as its result is (OPA 1.x, REST API, "Data API" and "Health
 * API").
 */
import { digestOf, digestOfBytes } from '../../contract/digest.ts';
import type { Policy, Resource } from '../../contract/types.gen.ts';
import { invalidAnswer, type ForeignClient } from '../foreign/client.ts';
import type { ForeignBackend, ForeignPolicy } from '../foreign/evaluator.ts';
import { listEach } from '../foreign/list_each.ts';
import { requireObject } from '../foreign/words.ts';
import { nobodyAsks } from '../self_test.ts';
import { PortcullisError } from '../../errors.ts';
import { members } from '../request.ts';
import type { PolicyInput } from '../types.ts';

export interface OpaServerSettings {
  /** Its address or socket. */
  server: string;
  /** The rule that decides, such as `mcp/main/decision`. */
  path: string;
  /** The rule that yields the positions of the visible ones among `input.resources`. */
  discovery_path: string | null;
}

/** An error of a builtin is an error, and not an undefined rule. */
const QUERY = '?provenance=true&strict-builtin-errors=true';

/** What the policy does with a request: the input is none, or the evaluation failed. */
const REFUSALS = [400, 500];

/** As evaluation_response.schema.json has it. */
const REVISION_CHARACTERS_MAX = 256;

export function opaServer(client: ForeignClient, settings: OpaServerSettings): ForeignBackend {
  return new OpaServer(client, settings);
}

class OpaServer implements ForeignBackend {
  readonly #client: ForeignClient;
  readonly #settings: OpaServerSettings;

  constructor(client: ForeignClient, { server, path, discovery_path }: OpaServerSettings) {
    this.#client = client;
    this.#settings = {
      server,
      path: pathOf(path),
      discovery_path: discovery_path && pathOf(discovery_path),
    };
  }

  /** Healthy is a server whose bundles, if it was told of any, are active. */
  async look(): Promise<ForeignPolicy> {
    await this.#client.send({ path: `${this.#client.base}/health?bundles` });
    const { path, discovery_path } = this.#settings;
    const { revision } = await this.#ask(path, nobodyAsks(new Date(0).toISOString()));
    const evaluate = (input: PolicyInput): Promise<unknown> =>
      this.#resultOf(path, input, revision);
    return {
      identity: this.#identify(revision),
      evaluate,
      list: (input, resources) =>
        discovery_path === null
          ? listEach(resources, (resource) => evaluate({ ...input, resource }))
          : this.#resultOf(discovery_path, withResources(input, resources), revision),
    };
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #identify(revision: string | undefined): Required<Policy> {
    const { server, path, discovery_path } = this.#settings;
    return {
      revision: shortened(revision ?? 'unversioned'),
      digest: digestOf({
        backend: 'opa',
        server,
        path,
        discovery_path,
        revision: revision ?? null,
      }),
    };
  }

  async #resultOf(path: string, input: PolicyInput, revision: string | undefined) {
    const answer = await this.#ask(path, input);
    if (answer.revision === revision) return answer.result;
    throw invalidAnswer('its policy changed since it was looked at');
  }

  async #ask(
    path: string,
    input: PolicyInput,
  ): Promise<{ result: unknown; revision: string | undefined }> {
    const answer = await this.#client.send({
      path: `${this.#client.base}/v1/data/${path}${QUERY}`,
      body: { input },
      refusals: REFUSALS,
    });
    const { result, provenance } = requireObject(answer, 'its answer');
    return { result, revision: revisionOf(provenance) };
  }
}

/**
 * Each step by itself, so that no name can leave its place (CVE-2025-46569). Throws
 * `CONFIGURATION_INVALID`.
 */
function pathOf(path: string): string {
  const steps = path.split('/').filter((step) => step !== '');
  if (steps.length > 0 && !steps.some((step) => step === '.' || step === '..')) {
    return steps.map(encodeURIComponent).join('/');
  }
  const message = '`policy.remote.path` and `discovery_path` must be rules, as in `a/b`';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/policy/remote/path' });
}

function withResources(input: PolicyInput, resources: readonly Resource[]): PolicyInput {
  return { ...input, ...{ resources } };
}

/** The revisions of all bundles by name; undefined for a server that got its policy otherwise. */
function revisionOf(provenance: unknown): string | undefined {
  const { bundles, revision } = members(provenance);
  const named = Object.entries(members(bundles)).map(([name, bundle]) => {
    const { revision: of } = members(bundle);
    return `${name}@${typeof of === 'string' ? of : ''}`;
  });
  if (named.length > 0) return named.toSorted().join(' ');
  return typeof revision === 'string' && revision !== '' ? revision : undefined;
}

function shortened(revision: string): string {
  return revision.length <= REVISION_CHARACTERS_MAX ? revision : digestOfBytes(revision);
}
