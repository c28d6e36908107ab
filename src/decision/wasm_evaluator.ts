/** A compiled policy as the decision core asks it. */
import type { BundleMetadata, Policy, Projection, Resource } from '../contract/types.gen.ts';
import type { Engine } from '../engine/types.ts';
import { PortcullisError } from '../errors.ts';
import { listedText } from './listing.ts';
import type { ActivePolicy, MaskEvent, PolicyInput } from './types.ts';

export interface Entrypoints {
  /** Yields a decision for one input. */
  decision: string;
  /** Yields the positions of the visible ones among `input.resources`. */
  discovery: string | undefined;
  /** Yields what is masked in the evidence (OPA documentation, "Decision Logs"). */
  mask: string | undefined;
}

/** Where OPA itself looks for the mask, and for what else it does to records. */
const MASK_ENTRYPOINT = 'system/log/mask';
const LOG_ENTRYPOINT = /^system\/log(\/|$)/;

export interface WasmPolicyParts {
  engine: Engine;
  entrypoints: Entrypoints;
  identity: Required<Policy>;
  projection: Projection;
  /** RFC 3339, UTC. */
  activated_at: string;
  unsafe_allow_all: boolean;
}

/**
 * The entrypoints to ask: those that the metadata names, else the only one. Throws
 * `ENGINE_UNSUITED` naming what is missing or what there is to choose from.
 */
export function chooseEntrypoints(
  available: readonly string[],
  metadata: BundleMetadata | undefined,
): Entrypoints {
  const { entrypoint, discovery, search = {} } = metadata ?? {};
  const isMasked = available.includes(MASK_ENTRYPOINT);
  const mask = metadata?.mask ?? (isMasked ? MASK_ENTRYPOINT : undefined);
  const named = [entrypoint, discovery, mask, ...Object.values(search)];
  const missing = named.find((name) => name && !available.includes(name));
  if (missing) throw unsuited(`the bundle has no entrypoint \`${missing}\``);
  // Whoever put it there means to keep something out of the records.
  const idle = available.find((name) => LOG_ENTRYPOINT.test(name) && !isMask(name, mask));
  if (idle) throw unsuited(`the entrypoint \`${idle}\` changes no record: the mask alone does`);
  const deciding = available.filter((name) => name !== mask);
  const decision = entrypoint ?? (deciding.length === 1 ? deciding[0] : undefined);
  if (decision !== undefined) return { decision, discovery, mask };
  const names = deciding.map((name) => `\`${name}\``).join(', ');
  throw unsuited(`name one entrypoint in metadata.portcullis of the bundle: ${names}`);
}

/**
 * The policy over an engine, until it is closed. The text for the engine is not canonical: no
 * record holds it, and writing it so costs a fifth of an evaluation.
 */
export class WasmPolicy implements ActivePolicy {
  readonly identity: Required<Policy>;
  readonly projection: Projection;
  readonly activated_at: string;
  readonly unsafe_allow_all: boolean;
  readonly mask: ActivePolicy['mask'];
  readonly #engine: Engine;
  readonly #entrypoints: Entrypoints;

  constructor(parts: WasmPolicyParts) {
    this.identity = parts.identity;
    this.projection = parts.projection;
    this.activated_at = parts.activated_at;
    this.unsafe_allow_all = parts.unsafe_allow_all;
    this.#engine = parts.engine;
    this.#entrypoints = parts.entrypoints;
    const { mask } = parts.entrypoints;
    this.mask = mask === undefined ? undefined : (event) => this.#mask(mask, event);
  }

  evaluate(input: PolicyInput): unknown {
    return this.#engine.evaluate(this.#entrypoints.decision, JSON.stringify(input));
  }

  /** A policy without a discovery entrypoint is asked for each resource by itself. */
  list(input: PolicyInput, resources: readonly Resource[]): unknown {
    const { discovery } = this.#entrypoints;
    if (discovery !== undefined) {
      return this.#engine.evaluate(discovery, JSON.stringify({ ...input, resources }));
    }
    return resources.map((resource) => listedText(this.evaluate({ ...input, resource })));
  }

  #mask(entrypoint: string, { about, ...event }: MaskEvent): unknown {
    const { decision, discovery = decision } = this.#entrypoints;
    const path = about === 'discovery' ? discovery : decision;
    return this.#engine.evaluate(entrypoint, JSON.stringify({ ...event, path }));
  }

  /** Releases the engine; evaluations of whoever still holds the policy deny. */
  close(): void {
    this.#engine.close();
  }
}

function isMask(name: string, mask: string | undefined): boolean {
  return name === mask || name === MASK_ENTRYPOINT;
}

function unsuited(message: string): PortcullisError {
  return new PortcullisError('ENGINE_UNSUITED', message);
}
