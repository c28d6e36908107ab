/**
 * The decision core: one policy decides a request, the evidence of it becomes durable, and only
 * then is it answered (ruling R19).
 */
import { setImmediate } from 'node:timers/promises';
import type { Clock, Random } from '../contract/ambient.ts';
import type { CallOptions } from '../contract/decision_point.ts';
import type { EvaluationResponse, Status } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceEntry, EvidenceLog } from '../evidence/types.ts';
import { answerOf } from './answer.ts';
import {
  endsBatch,
  entitiesOf,
  isDiscovery,
  readBatch,
  type Batch,
  type BatchEntry,
  type BatchLimits,
} from './batch.ts';
import { decide } from './decide.ts';
import { answerList, discover, listInput, readDiscovery } from './discovery.ts';
import { backendErrorEntry, decisionEntry, type RecordHead } from './evidence_entry.ts';
import { OutcomeRecorder, type OutcomeMemory } from './outcomes.ts';
import { askedOf, recordDecision, recordList, type RecordSettings } from './recording.ts';
import {
  completeInput,
  members,
  readEvaluation,
  type Circumstances,
  type CompleteInput,
  type Question,
} from './request.ts';
import { readSepRequest, sepAnswerOf } from './sep.ts';
import { statusOf } from './status.ts';
import { demandTenants, FixedPolicies, NO_POLICY } from './tenancy.ts';
import type { Caller, DecisionCore, EvaluationAnswer, Evaluator, OutcomeReceipt } from './types.ts';
import { indeterminate, plainVerdict, unavailable, type Verdict } from './verdict.ts';

/** `batch_items_max` also bounds a catalogue. */
export interface DecisionSettings extends BatchLimits, RecordSettings {
  /** Name of this instance, as in the evidence. */
  instance: string;
  /** Server that the SEP profile, which names none, speaks of. */
  sep_server: string;
}

export interface DecisionParts {
  evaluator: Evaluator;
  evidence: EvidenceLog;
  clock: Clock;
  random: Random;
  settings: DecisionSettings;
  /** Absent: an outcome that is reported again is recorded again. */
  outcomes?: OutcomeMemory;
}

/** Entries of a batch that are made durable together. */
const ENTRIES_AT_ONCE = 100;

export function createDecisionCore(parts: DecisionParts): DecisionCore {
  return new PolicyDecisionCore(parts);
}

class PolicyDecisionCore implements DecisionCore {
  readonly #parts: DecisionParts;
  readonly #outcomes: OutcomeRecorder;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
    this.#outcomes = new OutcomeRecorder((entry) => this.#append(entry), parts.outcomes);
  }

  async evaluation(body: unknown, caller: Caller): Promise<EvaluationAnswer> {
    const request = readEvaluation(body);
    const head = { ...this.#begin(caller, request), profile: request.profile };
    const verdict = await this.#decide(head, request);
    const { evaluation_id, policy } = head;
    return { body: answerOf(verdict, policy, evaluation_id), evaluation_id };
  }

  async evaluations(
    body: unknown,
    caller: Caller,
    { signal }: CallOptions = {},
  ): Promise<EvaluationAnswer> {
    if (isDiscovery(body)) return this.#discovery(body, caller, signal);
    const batch = readBatch(body, this.#parts.settings);
    if (batch) return this.#batch(batch, caller, signal);
    const request = readEvaluation(entitiesOf(body));
    const head = { ...this.#begin(caller, request), profile: request.profile };
    const verdict = await this.#decide(head, request);
    return { body: answerOf(verdict, head.policy), evaluation_id: head.evaluation_id };
  }

  async sepDecision(body: unknown, caller: Caller): Promise<EvaluationAnswer> {
    const { request, isUnknown } = readSepRequest(body, this.#parts.settings.sep_server);
    const head = { ...this.#begin(caller, request), profile: 'sep' } as const;
    const verdict = isUnknown
      ? await this.#denyUnknown(head, request)
      : await this.#decide(head, request);
    return { body: sepAnswerOf(verdict), evaluation_id: head.evaluation_id };
  }

  outcome(body: unknown, caller: Caller): Promise<OutcomeReceipt> {
    return this.#outcomes.record(body, caller);
  }

  status(tenant?: string, caller?: Caller): Status {
    return statusOf(this.#parts, tenant, caller);
  }

  watch(listener: (status: Status) => void, tenant?: string): () => void {
    return this.#parts.evaluator.watch((changed) => {
      if (changed === undefined || changed === tenant) listener(this.status(tenant));
    });
  }

  /** Fixes the policy that decides, however often it changes meanwhile. */
  #begin(caller: Caller, { subject }: { subject: object }): Omit<RecordHead, 'profile'> {
    demandTenants(caller, [subject]);
    const policies = new FixedPolicies(this.#parts.evaluator, caller);
    const policy = policies.of(members(subject));
    return { evaluation_id: this.#parts.random.id(), caller, policy };
  }

  #circumstances(caller: Caller): Circumstances {
    return { caller, time: new Date(this.#parts.clock.now_ms()).toISOString() };
  }

  async #decide(head: RecordHead, request: Question): Promise<Verdict> {
    const input = completeInput(request, this.#circumstances(head.caller));
    return this.#record(head, input, await this.#orRecord(head, input, verdictOf(head, input)));
  }

  /** What may be given: the verdict with its record, once that is durable. */
  async #record(head: RecordHead, input: CompleteInput, decided: Verdict): Promise<Verdict> {
    const { verdict, evidence } = recordDecision(head, input, decided, this.#parts.settings);
    await this.#append(evidence);
    return verdict;
  }

  /** What leaves no decision because nobody is there to make it, is recorded as well. */
  async #orRecord<R>(head: RecordHead, input: CompleteInput, work: Promise<R>): Promise<R> {
    try {
      return await work;
    } catch (error) {
      const isAbsent = error instanceof PortcullisError && error.code === 'BACKEND_UNREACHABLE';
      if (isAbsent) {
        const asked = askedOf(input, this.#parts.settings);
        await this.#append(backendErrorEntry(head, asked, error.message));
      }
      throw error;
    }
  }

  async #denyUnknown(head: RecordHead, request: Question): Promise<Verdict> {
    const input = completeInput(request, this.#circumstances(head.caller));
    const reason_code = 'UNKNOWN_METHOD_DENIED';
    return this.#record(head, input, { ...plainVerdict('deny'), visible: true, reason_code });
  }

  /**
   * Entries are decided in order, each under the id `<id>#<index>`, and made durable some at a
   * time. Other requests have their turn after each; where nobody waits for the answer any more,
   * what was decided is still recorded, and nothing more is decided.
   */
  async #batch(
    { entries, semantic, subjects }: Batch,
    caller: Caller,
    signal: AbortSignal | undefined,
  ): Promise<EvaluationAnswer> {
    demandTenants(caller, subjects);
    const policies = new FixedPolicies(this.#parts.evaluator, caller);
    const evaluation_id = this.#parts.random.id();
    const circumstances = this.#circumstances(caller);
    const answers: EvaluationResponse[] = [];
    let records: EvidenceEntry[] = [];
    for (const entry of entries) {
      const policy = policies.of('request' in entry ? entry.request.subject : undefined);
      const head = { evaluation_id: `${evaluation_id}#${answers.length}`, caller, policy };
      const { evidence, verdict } = await this.#decideEntry(entry, circumstances, head);
      records.push(evidence);
      answers.push(answerOf(verdict, policy));
      if (endsBatch(semantic, verdict)) break;
      if (records.length === ENTRIES_AT_ONCE) {
        await this.#appendAll(records);
        records = [];
      }
      await setImmediate();
      if (signal?.aborted) break;
    }
    await this.#appendAll(records);
    demandWanted(signal);
    return { body: { evaluations: answers }, evaluation_id };
  }

  async #discovery(
    body: unknown,
    caller: Caller,
    signal: AbortSignal | undefined,
  ): Promise<EvaluationAnswer> {
    const request = readDiscovery(body, this.#parts.settings.batch_items_max);
    const head = { ...this.#begin(caller, request), profile: 'mcp/1' } as const;
    const input = listInput(request, this.#circumstances(caller));
    const decided = discover(request, input, head.policy, signal);
    const found = await this.#orRecord(head, input, decided);
    const { catalogue_digest } = request.options.portcullis.discovery;
    const { settings } = this.#parts;
    const { given, evidence } = await recordList(head, input, catalogue_digest, found, settings);
    await this.#append(evidence);
    demandWanted(signal);
    return { body: answerList(given), evaluation_id: head.evaluation_id };
  }

  /** An entry that is no request, or one beyond the engine's limits, is denied by itself. */
  async #decideEntry(
    entry: BatchEntry,
    circumstances: Circumstances,
    head: Omit<RecordHead, 'profile'>,
  ): Promise<{ evidence: EvidenceEntry; verdict: Verdict }> {
    if ('fault' in entry) {
      const verdict = indeterminate(entry.fault);
      return { verdict, evidence: decisionEntry({ ...head, profile: 'authzen' }, {}, verdict) };
    }
    const { profile } = entry.request;
    const input = completeInput(entry.request, circumstances);
    const decided = await verdictOf({ ...head, profile }, input).catch(undecidable);
    return recordDecision({ ...head, profile }, input, decided, this.#parts.settings);
  }

  async #appendAll(entries: readonly EvidenceEntry[]): Promise<void> {
    await Promise.all(entries.map((entry) => this.#append(entry)));
  }

  /** Resolves when the record is durable. */
  async #append(entry: EvidenceEntry): Promise<void> {
    try {
      await this.#parts.evidence.append(entry);
    } catch (cause) {
      if (cause instanceof PortcullisError && cause.code === 'EVIDENCE_UNWRITABLE') throw cause;
      const message = 'the decision could not be recorded';
      throw new PortcullisError('EVIDENCE_UNWRITABLE', message, { cause });
    }
  }
}

async function verdictOf({ profile, policy }: RecordHead, input: CompleteInput): Promise<Verdict> {
  return policy ? decide(profile, input, policy) : unavailable(NO_POLICY);
}

/** Nothing is given to a caller that has gone. */
function demandWanted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new PortcullisError('DECISION_POINT_UNREACHABLE', 'the call was given up');
}

function undecidable(error: unknown): Verdict {
  if (error instanceof PortcullisError) return indeterminate(error.message);
  throw error;
}
