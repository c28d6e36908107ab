/**
 * A decision point that is not ours as an `Evaluator`: asked again and again which policy is in
 * force there, and believed only while it answers. Whoever wants to know whether there is a policy
 * does not wait for a network.
 */
import type { Clock } from '../../contract/ambient.ts';
import type { Policy, Projection, Resource } from '../../contract/types.gen.ts';
import type { EngineOptions } from '../../engine/types.ts';
import { PortcullisError } from '../../errors.ts';
import type { EvidenceLog } from '../../evidence/types.ts';
import { recordActivation } from '../activation.ts';
import { testPolicy } from '../self_test.ts';
import type { ActivePolicy, Evaluator, PolicyInput } from '../types.ts';
import { projectInput } from './project.ts';

/** The policy that a server had in force when it was looked at. */
export interface ForeignPolicy {
  identity: Required<Policy>;
  /** The raw result, still to be judged. Rejects where the server follows another policy by now. */
  evaluate(input: PolicyInput): Promise<unknown>;
  /** As `ActivePolicy` lists, still to be judged. */
  list(input: PolicyInput, resources: readonly Resource[]): Promise<unknown>;
}

export interface ForeignBackend {
  /** What is in force there. Rejects with `BACKEND_…` where it is not ready to decide. */
  look(): Promise<ForeignPolicy>;
  close(): Promise<void>;
}

export interface ForeignParts {
  backend: ForeignBackend;
  /** The arguments that a PEP sends; the server cannot say which it reads. */
  projection: Projection;
  /** Between two looks. */
  poll_interval_ms: number;
  /** Where it gave no sound answer for so long, there is no policy. */
  silence_ms_max: number;
  clock: Clock;
  evidence: EvidenceLog;
  log: EngineOptions['log'];
}

/** Rejects where the server does not decide, or decides for nobody. */
export async function openForeignEvaluator(parts: ForeignParts): Promise<ForeignEvaluator> {
  const evaluator = new ForeignEvaluator(parts);
  try {
    await evaluator.start();
  } catch (error) {
    await evaluator.close();
    throw error;
  }
  return evaluator;
}

export class ForeignEvaluator implements Evaluator {
  readonly #parts: ForeignParts;
  readonly #listeners = new Set<() => void>();
  #active: ActivePolicy | undefined;
  #told: string | undefined;
  #heard_at_ms = 0;
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(parts: ForeignParts) {
    this.#parts = parts;
  }

  /** The policy that was in force at the last look. Throws `POLICY_ABSENT`. */
  current(): ActivePolicy {
    if (this.#active && !this.#isSilent()) return this.#active;
    const state = this.#active ? 'the policy server is silent' : 'no policy is active';
    const problem = this.#problem === undefined ? '' : `: ${this.#problem}`;
    throw new PortcullisError('POLICY_ABSENT', `${state}${problem}`);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    await this.#look();
    this.#tellIfChanged();
    this.#schedule();
  }

  /** Looks once, as the timer does. Never rejects; looks do not overlap. */
  async check(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => this.#note(error))
      .finally(() => {
        this.#looking = undefined;
        this.#tellIfChanged();
      });
    await this.#looking;
  }

  /** Ends what is asked, and the policy. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#active = undefined;
    await this.#parts.backend.close();
    await this.#looking;
    this.#active = undefined;
  }

  #schedule(): void {
    if (this.#closed) return;
    const again = (): void => void this.check().finally(() => this.#schedule());
    this.#timer = setTimeout(again, this.#parts.poll_interval_ms).unref();
  }

  /**
   * What is in force there decides already, so a policy that fails its test is not held back by the
   * one before it, as a bundle is: then there is none.
   */
  async #look(): Promise<void> {
    const { backend, clock } = this.#parts;
    const found = await backend.look();
    const known = found.identity.digest === this.#active?.identity.digest;
    const policy = known && this.#active ? this.#active : this.#policyOf(found);
    await this.#demandSound(policy);
    if (policy !== this.#active) await this.#activate(policy);
    this.#heard_at_ms = clock.now_ms();
    this.#problem = undefined;
  }

  async #demandSound(policy: ActivePolicy): Promise<void> {
    const { clock, evidence } = this.#parts;
    const time = new Date(clock.now_ms()).toISOString();
    try {
      await testPolicy(policy, undefined, time);
    } catch (error) {
      const { cause } = error as Error;
      if (codeOf(cause)?.startsWith('BACKEND_')) throw cause;
      this.#active = undefined;
      if (this.#isNew(error)) await recordActivation(policy, evidence, 'refused', error);
      throw error;
    }
  }

  async #activate(policy: ActivePolicy): Promise<void> {
    const { evidence, log } = this.#parts;
    await recordActivation(policy, evidence, 'activated');
    if (this.#closed) return;
    this.#active = policy;
    log.info('a policy server decides', { ...policy.identity });
  }

  #policyOf({ identity, evaluate, list }: ForeignPolicy): ActivePolicy {
    const { projection, clock } = this.#parts;
    return {
      identity,
      projection,
      activated_at: new Date(clock.now_ms()).toISOString(),
      unsafe_allow_all: false,
      evaluate: (input) => this.#watched(evaluate(projectInput(input, projection))),
      list: (input, resources) => this.#watched(list(input, resources)),
    };
  }

  /** Whoever meets a failure has the server looked at now, not when its time comes. */
  async #watched(asked: Promise<unknown>): Promise<unknown> {
    try {
      return await asked;
    } catch (error) {
      if (!this.#closed) void this.check();
      throw error;
    }
  }

  /** Keeps the reason, and logs it when it is new. */
  #note(error: unknown): void {
    if (this.#closed || !this.#isNew(error)) return;
    this.#problem = problemOf(error);
    const code = codeOf(error) ?? 'INTERNAL';
    this.#parts.log.warn('the policy server is not ready', { code, problem: this.#problem });
  }

  #isNew(error: unknown): boolean {
    return problemOf(error) !== this.#problem;
  }

  #isSilent(): boolean {
    const { clock, silence_ms_max } = this.#parts;
    return clock.now_ms() - this.#heard_at_ms > silence_ms_max;
  }

  #tellIfChanged(): void {
    const state = this.#active && !this.#isSilent() ? this.#active.identity.digest : undefined;
    if (state === this.#told) return;
    this.#told = state;
    if (!this.#closed) for (const listener of this.#listeners) listener();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof PortcullisError ? error.code : undefined;
}

function problemOf(error: unknown): string {
  return error instanceof PortcullisError ? error.message : 'the policy server cannot be asked';
}
