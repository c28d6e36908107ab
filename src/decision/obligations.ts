/**
 * Makes one set of duties out of those that several rules gave: what is kept is what all keep, what
 * is masked is what any masks, a limit is the lowest. Duties that cannot hold together are a
 * contradiction, which denies.
 */
import { canonicalJson } from '../contract/canonical.ts';
import type { MaskFields, Obligation, Unstructured } from '../contract/types.gen.ts';
import { intersectPaths, PATHS_MAX } from './paths.ts';
import { members, type CompleteInput } from './request.ts';
import { indeterminate, refuse, type Verdict } from './verdict.ts';

type Of<T extends Obligation['type']> = Extract<Obligation, { type: T }>;

/**
 * How several duties of one type become as few as can be; undefined is a contradiction. Each list
 * holds at least one.
 */
const MERGES: { [T in Obligation['type']]: (duties: Of<T>[]) => Of<T>[] | undefined } = {
  keep_fields: (duties) => {
    const paths = duties.map((duty) => duty.paths).reduce(intersectPaths);
    return [{ type: 'keep_fields', paths, unstructured: strictest(duties) }];
  },
  mask_fields: mergeMasks,
  redact_patterns: (duties) => {
    const classes = union(duties.map((duty) => duty.classes));
    return [{ type: 'redact_patterns', classes, unstructured: strictest(duties) }];
  },
  limit_result: (duties) => [
    {
      type: 'limit_result',
      ...lowest('bytes_max', duties),
      ...lowest('items_max', duties),
    },
  ],
  set_arguments: (duties) => {
    const entries = duties.flatMap(({ values }) => Object.entries(values));
    const isOnce = grouped(entries, ([name]) => name).every((same) => isOneValue(same));
    return isOnce ? [{ type: 'set_arguments', values: Object.fromEntries(entries) }] : undefined;
  },
  cap_arguments: (duties) => {
    const entries = duties.flatMap(({ limits }) => Object.entries(limits));
    const lowestOf = (same: (typeof entries)[number][]): [string, number] => [
      (same[0] as [string, number])[0],
      Math.min(...same.map(([, limit]) => limit)),
    ];
    const limits = Object.fromEntries(grouped(entries, ([name]) => name).map(lowestOf));
    return [{ type: 'cap_arguments', limits }];
  },
  step_up: (duties) => {
    const acrs = union(duties.map(({ acr }) => (acr === undefined ? [] : [acr])));
    if (acrs.length > 1) return undefined;
    const amr = union(duties.map((duty) => duty.amr ?? []));
    const [acr] = acrs;
    return [{ type: 'step_up', ...(acr !== undefined && { acr }), ...(amr.length > 0 && { amr }) }];
  },
  rate_limit: (duties) =>
    grouped(duties, ({ key, window_seconds }) => `${window_seconds} ${key}`).map((same) => ({
      ...(same[0] as Of<'rate_limit'>),
      limit: Math.min(...same.map(({ limit }) => limit)),
    })),
  notify: (duties) => grouped(duties, ({ target }) => target).map(([duty]) => duty as Of<'notify'>),
  log: (duties) => grouped(duties, ({ level }) => level).map(([duty]) => duty as Of<'log'>),
};

/**
 * Puts the merged duties into the verdict, in canonical order. A contradiction denies; what was
 * denied anyway keeps its reason.
 */
export function settleObligations(verdict: Verdict): Verdict {
  const obligations = mergeObligations(verdict.obligations);
  if (obligations) return { ...verdict, obligations };
  const denied = verdict.outcome === 'deny' ? verdict : indeterminate('the duties contradict');
  return { ...denied, visible: verdict.visible, rules: verdict.rules, obligations: [] };
}

/** Denies what carries a mandatory duty that the PEP did not say it can fulfil. */
export function demandObligations(verdict: Verdict, { context }: CompleteInput): Verdict {
  if (verdict.outcome === 'deny') return verdict;
  const known = members(context.pep).obligations;
  const fulfils = (type: string): boolean => Array.isArray(known) && known.includes(type);
  const isMet = verdict.obligations.every(
    ({ type, mandatory = true }) => !mandatory || fulfils(type),
  );
  return isMet ? verdict : refuse(verdict, 'OBLIGATION_UNSUPPORTED');
}

/** The merged duties, or undefined where they contradict each other. */
export function mergeObligations(obligations: readonly Obligation[]): Obligation[] | undefined {
  const merged: Obligation[] = [];
  for (const same of grouped(obligations, ({ type }) => type)) {
    const duties = mergeOneType(same);
    if (!duties) return undefined;
    merged.push(...duties);
  }
  if (setsWhatIsCapped(merged)) return undefined;
  const texts = new Map(merged.map((duty) => [canonicalJson(duty), duty]));
  return [...texts.keys()].sort().map((text) => texts.get(text) as Obligation);
}

/** A merged duty is optional only if each of its parts was. */
function mergeOneType(duties: Obligation[]): Obligation[] | undefined {
  const [first] = duties as [Obligation];
  const merge = MERGES[first.type] as (duties: Obligation[]) => Obligation[] | undefined;
  const isOptional = duties.every(({ mandatory }) => mandatory === false);
  const merged = merge(duties)?.map(({ mandatory: _, ...duty }) => {
    return isOptional ? { ...duty, mandatory: false } : duty;
  });
  const isTooLong = merged?.some((duty) => 'paths' in duty && duty.paths.length > PATHS_MAX);
  return isTooLong ? undefined : merged;
}

/** Each path gets the strictest mode that any rule gave it. */
function mergeMasks(duties: MaskFields[]): MaskFields[] {
  const unstructured = strictest(duties);
  const taken = new Set<string>();
  return (['remove', 'replace', 'digest'] as const).flatMap((mode) => {
    const same = duties.filter((duty) => duty.mode === mode);
    const paths = union(same.map((duty) => duty.paths)).filter((path) => !taken.has(path));
    for (const path of paths) taken.add(path);
    return paths.length === 0 ? [] : [{ type: 'mask_fields', paths, mode, unstructured }];
  });
}

const BY_STRICTNESS: readonly Unstructured[] = ['refuse', 'drop', 'redact'];

function strictest(duties: readonly { unstructured: Unstructured }[]): Unstructured {
  const given = new Set(duties.map(({ unstructured }) => unstructured));
  return BY_STRICTNESS.find((word) => given.has(word)) as Unstructured;
}

function lowest<N extends string>(name: N, duties: readonly { [K in N]?: number }[]): object {
  const limits = duties.flatMap((duty) => duty[name] ?? []);
  return limits.length === 0 ? {} : { [name]: Math.min(...limits) };
}

function isOneValue(entries: readonly (readonly [string, unknown])[]): boolean {
  return new Set(entries.map(([, value]) => canonicalJson(value))).size === 1;
}

/** One rule sets an argument that another caps: which of them is meant cannot be known. */
function setsWhatIsCapped(merged: readonly Obligation[]): boolean {
  const namesOf = (duty: Obligation | undefined): string[] => {
    if (duty?.type === 'set_arguments') return Object.keys(duty.values);
    return duty?.type === 'cap_arguments' ? Object.keys(duty.limits) : [];
  };
  const set = namesOf(merged.find(({ type }) => type === 'set_arguments'));
  const capped = namesOf(merged.find(({ type }) => type === 'cap_arguments'));
  return set.some((name) => capped.includes(name));
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].sort();
}

function grouped<V>(values: readonly V[], keyOf: (value: V) => string): V[][] {
  return [...Map.groupBy(values, keyOf).values()];
}
