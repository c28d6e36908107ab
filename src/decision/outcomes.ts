/**
 * Outcomes become records once. A guard sends a report again where it did not hear that it is
 * recorded, so that none is lost (at least once); what was recorded lately is remembered by its
 * caller and content, so that none is counted twice. Another report on the same decision is another
 * record, and so is the same one in the name of another caller.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../contract/canonical.ts';
import type { OutcomeBatch, OutcomeReport } from '../contract/types.gen.ts';
import { VALIDATORS, type Validated } from '../contract/validate.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceEntry } from '../evidence/types.ts';
import { actorFailureEntry, outcomeEntry, unreportedEntry } from './evidence_entry.ts';
import { members, requestInvalid } from './request.ts';
import type { Caller, OutcomeReceipt } from './types.ts';

export interface OutcomeMemory {
  /** Most outcomes that are remembered; the oldest makes room. */
  outcome_memory_records_max: number;
  /** The last records of an earlier process, in their order. */
  lately: Iterable<EvidenceEntry>;
}

const NO_MEMORY: OutcomeMemory = { outcome_memory_records_max: 0, lately: [] };

export class OutcomeRecorder {
  readonly #append: (entry: EvidenceEntry) => Promise<void>;
  readonly #records_max: number;
  /** When each was recorded, by what is the same where it comes again; the oldest first. */
  readonly #known = new Map<string, Promise<void>>();

  /** `append` resolves when a record is durable. */
  constructor(append: (entry: EvidenceEntry) => Promise<void>, memory = NO_MEMORY) {
    this.#append = append;
    this.#records_max = memory.outcome_memory_records_max;
    for (const entry of memory.lately) {
      if (entry.kind.startsWith('outcome')) void this.#keep(nameOf(entry), Promise.resolve());
    }
  }

  /** Rejects with `REQUEST_INVALID`, or as an append does; then what was recorded stays so. */
  async record(body: unknown, caller: Caller): Promise<OutcomeReceipt> {
    if (members(body).status === 'turned_away') {
      const report = valueOf(VALIDATORS.turned_away_report(body));
      await this.#append(actorFailureEntry(report, caller));
      return { recorded: 1, repeated: 0 };
    }
    const { outcomes, unreported = [] } = readBatch(body);
    demandOwn(outcomes, caller);
    const entries = [
      ...outcomes.map((report) => outcomeEntry(report, caller)),
      ...unreported.map((each) => unreportedEntry(each, caller)),
    ];
    const receipt = { recorded: 0, repeated: 0 };
    await Promise.all(
      entries.map((entry) => {
        const name = nameOf(entry);
        const known = this.#known.get(name);
        receipt[known ? 'repeated' : 'recorded'] += 1;
        // One that is still on its way is answered when it has arrived.
        return known ?? this.#keep(name, this.#begin(name, entry));
      }),
    );
    return receipt;
  }

  async #begin(name: string, entry: EvidenceEntry): Promise<void> {
    try {
      await this.#append(entry);
    } catch (error) {
      this.#known.delete(name);
      throw tooLargeOf(error) ?? error;
    }
  }

  #keep(name: string, recorded: Promise<void>): Promise<void> {
    this.#known.set(name, recorded);
    if (this.#known.size > this.#records_max) {
      const [oldest = name] = this.#known.keys();
      this.#known.delete(oldest);
    }
    return recorded;
  }
}

/** To send it again would help no more than the first time, so that is told. */
function tooLargeOf(error: unknown): PortcullisError | undefined {
  const { cause } = error as PortcullisError;
  return cause instanceof PortcullisError && cause.code === 'REQUEST_TOO_LARGE' ? cause : undefined;
}

function readBatch(body: unknown): OutcomeBatch {
  if (typeof body === 'object' && body !== null && 'outcomes' in body) {
    return valueOf(VALIDATORS.outcome_batch(body));
  }
  return { outcomes: [valueOf<OutcomeReport>(VALIDATORS.outcome_report(body))] };
}

/** A caller that is bound to tenants has no word on those of others. */
function demandOwn(outcomes: readonly OutcomeReport[], { tenants }: Caller): void {
  const isOwn = ({ subject_tenant: tenant }: OutcomeReport): boolean =>
    tenant === undefined || !tenants || tenants.has(tenant);
  if (outcomes.every(isOwn)) return;
  const message = 'the caller reports an outcome of a tenant that it is not bound to';
  throw new PortcullisError('REQUEST_INVALID', message);
}

function valueOf<V>(result: Validated<V>): V {
  if (!result.ok) throw requestInvalid(result.fault);
  return result.value;
}

/** A record that was read back has the same name as the report that it was made of. */
function nameOf(entry: EvidenceEntry): string {
  const { kind, evaluation_id, caller, status, reason_code, masked, repeats } = entry;
  const { occurred_at, subject_tenant, unreported } = entry;
  const when = { occurred_at, repeats, unreported };
  const said = { evaluation_id, status, reason_code, masked, subject_tenant, ...when };
  return createHash('sha256')
    .update(canonicalJson({ kind, caller, ...said }))
    .digest('base64');
}
