/** The oracle: what the tables of the contract say of a request, in another tongue. */
import type { Duty, Effect, Grant, Json, JsonObject, Policy, Request, Rule } from '../model.ts';
import { libraryDenies, surfaceDuty } from './library.ts';
import { allLines, anyBody } from './lines.ts';
import { isInside } from './regions.ts';
import { at, viewOf, word, type View } from './view.ts';

/** As much of a decision as the tables fix. */
export interface Judgement {
  decision: 'allow' | 'deny' | 'require_approval';
  visible: boolean;
  constraints: JsonObject;
  obligations: JsonObject[];
}

export function judge({ rules, data }: Policy, input: Request): Judgement {
  return judgeView(rules, viewOf(input, data));
}

/** Positions of the items of a list that are visible. */
export function judgeList({ rules, data }: Policy, input: Request): number[] {
  return (input.resources ?? []).flatMap((resource, i) =>
    judgeView(rules, viewOf(input, data, resource)).visible ? [i] : [],
  );
}

/** Ids of the rules and grants that accept the caller as an approver. */
export function judgeApprover({ rules, data }: Policy, input: Request): string[] {
  const view = viewOf(input, data);
  if (input.action.name !== 'approval/grant' || view.name === undefined) return [];
  const accepting = rules.filter(({ eligible }) => eligible && anyBody(eligible, view));
  const grants = data.grants.filter(
    (grant) => view.patterns.includes(grant.on) && accepts(grant, view),
  );
  return [...accepting.map(idOf), ...grants.map(nameOf)].sort();
}

const NOTHING: Judgement = { decision: 'deny', visible: false, constraints: {}, obligations: [] };

/** Rules speak of capabilities; where none is named, none does. */
function judgeView(rules: readonly Rule[], view: View): Judgement {
  if (view.name === undefined) return NOTHING;
  const applying = rules.filter((rule) => applies(rule, view));
  const of = (effect: Effect): Rule[] => applying.filter((rule) => rule.effect === effect);
  const within = (rule: Rule): boolean => anyBody(rule.within ?? [], view);
  const grants = view.data.grants.filter((grant) => concerns(grant, view));
  const allowing = grants.filter(({ require_approval }) => !require_approval);
  const asking = grants.filter(({ require_approval }) => require_approval);

  const denied = of('deny').length > 0 || libraryDenies(view);
  const duties = [...of('oblige').map((rule) => dutiesOf(rule.obligations ?? [], view))];
  const kept = surfaceDuty(view);
  const refused =
    denied ||
    of('limit').some((rule) => !within(rule)) ||
    duties.some((stated) => stated.length === 0) ||
    kept === 'unstated';
  const allowed =
    of('allow').some((rule) => !rule.within || within(rule)) ||
    allowing.some((grant) => !grant.within || isInside(grant.within, view));
  const listed = of('allow').length + allowing.length > 0;
  const isAskable = of('require_approval').length + asking.length > 0;
  const asked = [
    ...of('require_approval')
      .filter((rule) => !within(rule))
      .map((rule) => idOf(rule)),
    ...asking.filter((grant) => !isInside(grant.unless_within, view)).map(nameOf),
  ].filter((id) => !granted(view).includes(id));

  const isPossible = isActorPossible(view, isAskable);
  const visible = !denied && listed && isPossible;
  const outcome = callOutcome(refused, allowed && isPossible, asked.length > 0);
  const decision = decisionIn(view, outcome, visible);
  const ways = asked.map((id) => channelsOf(id, of('require_approval'), asking));
  return {
    decision,
    visible,
    constraints: {
      ...actorDemand(view),
      ...(decision === 'require_approval' && {
        approval_required: true,
        require_approval_via: sharedChannel(ways),
      }),
    },
    obligations: [...duties.flat(), ...(typeof kept === 'object' ? [kept] : [])],
  };
}

function callOutcome(refused: boolean, allowed: boolean, asked: boolean): Judgement['decision'] {
  if (refused || !allowed) return 'deny';
  return asked ? 'require_approval' : 'allow';
}

function decisionIn(
  { input }: View,
  outcome: Judgement['decision'],
  visible: boolean,
): Judgement['decision'] {
  if (input.context.phase === 'call') return outcome;
  return input.context.phase === 'discovery' && visible ? 'allow' : 'deny';
}

/** Bodies are alternatives; in an `else` chain the first that holds decides. */
function applies({ form, applies: bodies }: Rule, view: View): boolean {
  if (form !== 'else') return anyBody(bodies, view);
  return bodies.findIndex((lines) => allLines(lines, view)) % 2 === 0;
}

function dutiesOf(duties: readonly Duty[], view: View): JsonObject[] {
  return duties
    .filter(({ lines }) => allLines(lines, view))
    .flatMap(({ duty, filled }) => {
      if (!filled) return [duty];
      const value = at(view.facts, filled.fact);
      return value === undefined ? [] : [{ ...duty, [filled.member]: value }];
    });
}

function concerns({ on, to }: Grant, view: View): boolean {
  return view.patterns.includes(on) && isAddressed(to, view);
}

function isAddressed(to: JsonObject, { facts, groups }: View): boolean {
  return Object.entries(to).every(([kind, value]) => {
    if (kind === 'anyone') return true;
    if (kind === 'group') return groups.has(value);
    return at(facts, kind === 'user' ? 'user.id' : kind) === value;
  });
}

const SATISFYING: Record<string, Json[]> = {
  human: ['human'],
  supervised_ai: ['supervised_ai', 'human'],
  automation: ['automation'],
  service_account: ['service_account'],
};

/** Somebody's approval may stand for a human (R12). */
function isActorPossible({ facts }: View, isAskable: boolean): boolean {
  const demanded = at(facts, 'capability.actor_required');
  if (demanded === undefined) return true;
  const actor = facts.actor_type ?? null;
  return SATISFYING[word(demanded)]?.includes(actor) || (demanded === 'human' && isAskable);
}

function actorDemand({ facts }: View): JsonObject {
  const demanded = at(facts, 'capability.actor_required');
  return demanded === undefined ? {} : { actor_required: demanded };
}

function granted({ facts }: View): Json[] {
  return (at(facts, 'approval.granted_rules') ?? []) as Json[];
}

/** Without a word of its own a rule asks by `task` or `none`. */
function channelsOf(id: string, rules: readonly Rule[], grants: readonly Grant[]): string[] {
  const rule = rules.find((candidate) => idOf(candidate) === id);
  const grant = grants.find((candidate) => nameOf(candidate) === id);
  return (rule ? rule.channels : grant?.require_approval?.via) ?? ['task', 'none'];
}

function sharedChannel(ways: readonly string[][]): string {
  const order = ['task', 'elicitation', 'none'];
  return order.find((channel) => ways.every((way) => way.includes(channel))) ?? 'none';
}

function accepts({ require_approval }: Grant, { facts, groups, data }: View): boolean {
  const requester = at(facts, 'approval.requester');
  if (!require_approval || typeof requester !== 'string') return false;
  const approver = at(facts, 'user.id');
  if (require_approval.not === 'requester' && approver === requester) return false;
  const { by } = require_approval;
  if (by === 'manager_of_requester') return data.directory[requester]?.manager === approver;
  const { user, group } = by as { user?: string; group?: string };
  return user === undefined ? groups.has(group ?? '') : user === approver;
}

export function idOf({ area, title }: Rule): string {
  return `${area}/${title}`;
}

function nameOf({ id, on }: Grant): string {
  return id ?? `grant:${on}`;
}
