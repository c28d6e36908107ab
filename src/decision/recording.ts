/**
 * From a decision to what is given and what is recorded of it. Where the policy has a mask, the
 * record is made from what the mask leaves; where that cannot be told, the request is refused and
 * nothing of it is recorded (ruling R19).
 */
import { setImmediate } from 'node:timers/promises';
import { PortcullisError } from '../errors.ts';
import type { EvidenceEntry } from '../evidence/types.ts';
import { CHUNK_ITEMS, undecided, type Discovery } from './discovery.ts';
import {
  decisionEntry,
  discoveryEntry,
  recordedRequest,
  type Asked,
  type RecordHead,
} from './evidence_entry.ts';
import { isRule } from './listing.ts';
import {
  applyMask,
  MaskFault,
  readMask,
  readPosition,
  type Maskable,
  type MaskOperation,
} from './mask.ts';
import { isMembers, members, type CompleteInput, type Members } from './request.ts';
import type { ActivePolicy, MaskEvent } from './types.ts';
import { indeterminate, type Verdict } from './verdict.ts';

export interface RecordSettings {
  /** Whether records of decisions hold the projected arguments, or (default) their digest alone. */
  arguments?: 'digest' | 'recorded';
}

/** What a record tells of a question, as far as it may hold it. */
export function askedOf(
  input: unknown,
  settings: RecordSettings,
  { erased = [], masked = [] }: Pick<Asked, 'erased' | 'masked'> = {},
): Asked {
  const { subject, action, resource, context } = members(input);
  const known = {
    subject: members(subject),
    action: members(action),
    ...(resource !== undefined && { resource: members(resource) }),
    context: members(context),
  };
  const { arguments: args } = known.context;
  const isRecorded = settings.arguments === 'recorded' && isMembers(args);
  return {
    request: recordedRequest(known),
    ...(isRecorded && { arguments: args }),
    ...(erased.length > 0 && { erased }),
    ...(masked.length > 0 && { masked }),
  };
}

/** The verdict that may be given, with its record. */
export function recordDecision(
  head: RecordHead,
  input: CompleteInput,
  verdict: Verdict,
  settings: RecordSettings,
): { verdict: Verdict; evidence: EvidenceEntry } {
  const mask = head.policy?.mask;
  if (!mask) return { verdict, evidence: decisionEntry(head, askedOf(input, settings), verdict) };
  try {
    const event = { input, result: resultOf(verdict) };
    const left = applyMask(copyOf(event), operationsOf(mask, head, 'decision', event));
    const told = maskedVerdict(verdict, left.result);
    return { verdict, evidence: decisionEntry(head, askedOf(left.input, settings, left), told) };
  } catch (error) {
    const refused = indeterminate(maskProblem(error));
    return { verdict: refused, evidence: decisionEntry(head, {}, refused) };
  }
}

/** The list that may be given, with its record. */
export async function recordList(
  head: RecordHead,
  input: CompleteInput,
  catalogue_digest: string,
  found: Discovery,
  settings: RecordSettings,
): Promise<{ given: Discovery; evidence: EvidenceEntry }> {
  const { detail } = found;
  try {
    const { asked, resources } = await askedList(head, input, found, settings);
    const items = found.listed.map((listed, at) => ({ resource: resources[at] ?? {}, listed }));
    const evidence = discoveryEntry(head, asked, { catalogue_digest, items, detail });
    return { given: found, evidence };
  } catch (error) {
    const given = undecided(found.resources, maskProblem(error));
    const nothing = { catalogue_digest, items: [], detail: given.detail };
    return { given, evidence: discoveryEntry(head, {}, nothing) };
  }
}

async function askedList(
  head: RecordHead,
  input: CompleteInput,
  { resources, listed }: Discovery,
  settings: RecordSettings,
): Promise<{ asked: Asked; resources: readonly Members[] }> {
  const plain = resources as readonly object[] as readonly Members[];
  const mask = head.policy?.mask;
  if (!mask) return { asked: askedOf(input, settings), resources: plain };
  const result = listed.map(({ visible, reason_code, rules }) => [visible, reason_code, rules]);
  const operations: MaskOperation[] = [];
  for (let start = 0; start < plain.length || start === 0; start += CHUNK_ITEMS) {
    if (start > 0) await setImmediate();
    const end = start + CHUNK_ITEMS;
    const part = {
      input: { ...input, resources: plain.slice(start, end) },
      result: result.slice(start, end),
    };
    const found = operationsOf(mask, head, 'discovery', part);
    operations.push(...found.flatMap((operation) => placed(operation, start)));
  }
  const left = applyMask(copyOf({ input: { ...input, resources: plain }, result }), operations);
  demandSame(left.result, result);
  return { asked: askedOf(left.input, settings, left), resources: itemsOf(left, plain.length) };
}

/** An operation on an item of a part of the list, as one on the item of the list. */
function placed(operation: MaskOperation, start: number): MaskOperation[] {
  const { steps } = operation;
  // Of a result, which is a list, nothing is called `resources`.
  const position = steps[1] === 'resources' ? readPosition(String(steps[2])) : undefined;
  if (position === undefined) return [operation];
  // Behind the items of its part it leads nowhere, and must not lead to those of the next.
  if (position >= CHUNK_ITEMS) return [];
  return [{ ...operation, steps: steps.with(2, String(position + start)) }];
}

/** All without a name where the mask leaves no list; none may move to another's place. */
function itemsOf({ input }: Maskable, count: number): readonly Members[] {
  const { resources } = members(input);
  if (!Array.isArray(resources)) return [];
  if (resources.length === count) return resources.map(members);
  throw new MaskFault('it removes items of a list, and not members of them');
}

function operationsOf(
  mask: NonNullable<ActivePolicy['mask']>,
  { evaluation_id, caller }: RecordHead,
  about: MaskEvent['about'],
  event: { input: CompleteInput; result: unknown },
): readonly MaskOperation[] {
  const raw = mask({
    decision_id: evaluation_id,
    about,
    ...event,
    requested_by: caller.id,
    timestamp: String(event.input.context.time),
  });
  return readMask(raw);
}

/** In the words of a policy's result. */
function resultOf(verdict: Verdict): Members {
  const { outcome, visible = false, reason_code, constraints, obligations, rules } = verdict;
  return { decision: outcome, visible, reason_code, constraints, obligations, rules };
}

/** A record without its decision would prove nothing: only what explains it can be masked. */
function maskedVerdict(verdict: Verdict, left: unknown): Verdict {
  const { constraints, obligations, rules, ...decided } = members(left);
  const { constraints: _c, obligations: _o, rules: _r, ...given } = resultOf(verdict);
  demandSame(decided, given);
  const kept = Object.entries(verdict.constraints).filter(
    ([name, value]) => members(constraints)[name] === value,
  );
  return {
    ...verdict,
    constraints: Object.fromEntries(kept),
    obligations: verdict.obligations.filter(({ type }) => hasType(obligations, type)),
    rules: Array.isArray(rules) ? rules.filter(isRule) : [],
  };
}

function hasType(obligations: unknown, type: string): boolean {
  return Array.isArray(obligations) && obligations.some((one) => members(one).type === type);
}

function demandSame(left: unknown, given: unknown): void {
  if (JSON.stringify(left) === JSON.stringify(given)) return;
  throw new MaskFault('it would change the decision itself in its record');
}

/** What a mask may change without changing the request. */
function copyOf(event: Maskable): Maskable {
  return JSON.parse(JSON.stringify(event)) as Maskable;
}

/** Texts of other errors may quote a value. */
function maskProblem(error: unknown): string {
  const problem = error instanceof MaskFault || error instanceof PortcullisError;
  return `the mask of the policy cannot be followed: ${problem ? error.message : 'it failed'}`;
}
