/**
 * The evidence record of a decision. It is made from what the policy saw; a plain AuthZEN request
 * may hold anything in its members, so each is written only as far as the record's schema takes it,
 * and a name that is too long as its digest.
 */
import { digestOfBytes } from '../contract/digest.ts';
import type {
  ActorType,
  Ground,
  OutcomeReport,
  RecordedItem,
  RecordedRequest,
  Unreported,
  TurnedAwayReport,
} from '../contract/types.gen.ts';
import type { EvidenceEntry } from '../evidence/types.ts';
import type { Listed } from './listing.ts';
import { members, type CompleteInput, type Members, type Profile } from './request.ts';
import type { ActivePolicy, Caller } from './types.ts';
import type { Verdict } from './verdict.ts';

/** What stands in every record of one request. */
export interface RecordHead {
  evaluation_id: string;
  caller: Caller;
  profile: Profile;
  /** Undefined where there was none to decide by. */
  policy: ActivePolicy | undefined;
}

const ACTOR_TYPES: ReadonlySet<unknown> = new Set<ActorType>([
  'human',
  'supervised_ai',
  'automation',
  'service_account',
]);
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const KEYED_DIGEST = /^hmac-sha256:[A-Za-z0-9._-]{1,64}:[0-9a-f]{64}$/;

/** A name that every record has, where the mask of the policy left none. */
const MASKED_NAME = '[masked]';

/** As evidence_record.schema.json has them. */
const GROUPS_MAX = 20_000;
const DELEGATION_MAX = 8;
export const DETAIL_CHARACTERS_MAX = 1024;
const CHARACTERS_MAX = {
  state: 32,
  type: 64,
  name: 128,
  group: 256,
  request_id: 256,
  id: 512,
  resource_id: 2048,
} as const;

/** What a record tells of a question; without `request` it could not be read, or not be masked. */
export interface Asked {
  request?: RecordedRequest;
  /** Where arguments are recorded. */
  arguments?: Members;
  /** Paths that the mask of the policy removed, and whose values it replaced. */
  erased?: string[];
  masked?: string[];
}

/** A record of kind `decision`. */
export function decisionEntry(head: RecordHead, asked: Asked, verdict: Verdict): EvidenceEntry {
  const { outcome, visible = false, reason_code, constraints, rules, detail } = verdict;
  return {
    kind: 'decision',
    ...headOf(head),
    ...asked,
    decision: outcome === 'allow',
    outcome,
    visible,
    reason_code,
    constraints,
    obligations: [...new Set(verdict.obligations.map(({ type }) => type))],
    rules,
    ...(detail !== undefined && { detail: detail.slice(0, DETAIL_CHARACTERS_MAX) }),
  };
}

/** A list as it is recorded: of each item how it was decided. */
export interface RecordedList {
  catalogue_digest: string;
  items: readonly { resource: Members; listed: Listed }[];
  /** Why everything is withheld. */
  detail: string | undefined;
}

/** A record of kind `discovery`: what was shown of a catalogue, what was withheld, and why. */
export function discoveryEntry(
  head: RecordHead,
  asked: Asked,
  { catalogue_digest, items, detail }: RecordedList,
): EvidenceEntry {
  const server = serverOf(items[0]?.resource ?? {});
  const grounds = new Grounds();
  const shown: RecordedItem[] = [];
  const withheld: RecordedItem[] = [];
  for (const { resource, listed } of items) {
    const { type, id, definition_digest } = recordedResource(resource);
    const known = { type, id, ...(definition_digest !== undefined && { definition_digest }) };
    (listed.visible ? shown : withheld).push({ ...known, ground: grounds.placeOf(listed) });
  }
  return {
    kind: 'discovery',
    ...headOf(head),
    ...asked,
    ...(server !== undefined && { server }),
    catalogue_digest,
    grounds: grounds.all,
    shown,
    withheld,
    ...(detail !== undefined && { detail: detail.slice(0, DETAIL_CHARACTERS_MAX) }),
  };
}

/** Reasons that many items share, each written once. */
class Grounds {
  readonly all: Ground[] = [];
  readonly #places = new Map<string, number>();

  placeOf({ reason_code, rules }: Listed): number {
    const name = JSON.stringify([reason_code, rules]);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    this.#places.set(name, this.all.length);
    return this.all.push({ reason_code, rules: [...rules] }) - 1;
  }
}

/** A record of kind `backend_error`: why nobody decided. */
export function backendErrorEntry(head: RecordHead, asked: Asked, detail: string): EvidenceEntry {
  const cut = detail.slice(0, DETAIL_CHARACTERS_MAX);
  return { kind: 'backend_error', ...headOf(head), ...asked, detail: cut };
}

function callerOf({ id, tenants }: Caller): Pick<EvidenceEntry, 'caller' | 'caller_tenants'> {
  return { caller: id, ...(tenants && { caller_tenants: [...tenants] }) };
}

function headOf({ evaluation_id, caller, profile, policy }: RecordHead): Partial<EvidenceEntry> {
  return {
    evaluation_id,
    ...callerOf(caller),
    ...(policy && { policy: policy.identity }),
    ...(policy?.unsafe_allow_all && { unsafe_allow_all: true }),
    profile,
  };
}

/**
 * Who asked for what, as far as a record may hold it. Members that are not known are undefined,
 * which the text of the record leaves out.
 */
export function recordedRequest({
  subject,
  action,
  resource,
  context,
}: CompleteInput): RecordedRequest {
  return {
    subject: recordedSubject(subject),
    action: label(action.name, CHARACTERS_MAX.name) ?? MASKED_NAME,
    resource: resource && recordedResource(resource),
    phase: phaseOf(context.phase),
    agent: label(members(context.agent).id, CHARACTERS_MAX.id),
    surface: label(context.surface, CHARACTERS_MAX.name),
    environment: label(members(context.environment).deployment, CHARACTERS_MAX.name),
    session: label(members(context.session).state, CHARACTERS_MAX.state),
    arguments_digest: matching(KEYED_DIGEST, context.arguments_digest),
    request_id: requestId(members(context.request).id),
    traceparent: label(members(context.request).traceparent, CHARACTERS_MAX.name),
  } as unknown as RecordedRequest;
}

function recordedSubject({ id, properties }: Members): RecordedRequest['subject'] {
  const { actor_type, tenant, groups, delegation } = members(properties);
  return {
    id: label(id, CHARACTERS_MAX.id) ?? MASKED_NAME,
    actor_type: ACTOR_TYPES.has(actor_type) ? actor_type : undefined,
    tenant: label(tenant, CHARACTERS_MAX.group),
    groups: Array.isArray(groups) ? labels(groups, CHARACTERS_MAX.group, GROUPS_MAX) : undefined,
    delegation: Array.isArray(delegation)
      ? labels(
          delegation.map((link) => members(link).id),
          CHARACTERS_MAX.id,
          DELEGATION_MAX,
        )
      : undefined,
  } as unknown as RecordedRequest['subject'];
}

function recordedResource({ type, id, properties }: Members): RecordedItem & { server?: string } {
  const { definition_digest } = members(properties);
  return {
    type: label(type, CHARACTERS_MAX.type) ?? MASKED_NAME,
    id: label(id, CHARACTERS_MAX.resource_id) ?? MASKED_NAME,
    server: serverOf({ properties }),
    definition_digest: matching(DIGEST, definition_digest),
  } as unknown as RecordedItem;
}

function serverOf({ properties }: Members): string | undefined {
  return label(members(properties).server, CHARACTERS_MAX.name);
}

/** Undefined where the mask of the policy left none. */
function phaseOf(phase: unknown): RecordedRequest['phase'] | undefined {
  if (phase === undefined) return undefined;
  return phase === 'discovery' ? 'discovery' : 'call';
}

function requestId(id: unknown): unknown {
  return Number.isSafeInteger(id) ? id : label(id, CHARACTERS_MAX.request_id);
}

/** A name that the record can hold: of its length, or its digest. Undefined where there is none. */
function label(value: unknown, characters_max: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value === '') return '""';
  return value.length <= characters_max ? value : digestOfBytes(value).slice(0, characters_max);
}

function labels(values: readonly unknown[], characters_max: number, items_max: number): string[] {
  return values.slice(0, items_max).flatMap((value) => label(value, characters_max) ?? []);
}

function matching(pattern: RegExp, value: unknown): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}

/** A record of kind `outcome`: the word of the caller that reports it. */
export function outcomeEntry(report: OutcomeReport, caller: Caller): EvidenceEntry {
  const { evaluation_id, status, reason_code, masked, repeats, occurred_at, subject_tenant } =
    report;
  return {
    kind: 'outcome',
    evaluation_id,
    ...callerOf(caller),
    status,
    ...(reason_code !== undefined && { reason_code }),
    ...(masked !== undefined && { masked }),
    ...(repeats !== undefined && { repeats }),
    ...(occurred_at !== undefined && { occurred_at }),
    ...(subject_tenant !== undefined && { subject_tenant }),
  };
}

/** A record of kind `outcomes_unreported`: outcomes that nobody will hear of, by a guard's word. */
export function unreportedEntry(unreported: Unreported, caller: Caller): EvidenceEntry {
  return { kind: 'outcomes_unreported', caller: caller.id, unreported };
}

/** A record of kind `actor_failure`: who was turned away, by the word of the caller that did it. */
export function actorFailureEntry(
  { status: _, ...report }: TurnedAwayReport,
  caller: Caller,
): EvidenceEntry {
  return { kind: 'actor_failure', ...callerOf(caller), ...report };
}
