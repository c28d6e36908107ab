/**
 * `portcullis check`: refuses what would be silently wrong. Each check names a trap of Rego or of
 * the rule contract, where it stands, and what to write instead.
 */
import { argumentPlaces } from './check/argument_places.ts';
import { argumentSchemas } from './check/argument_schemas.ts';
import { builtins } from './check/builtins.ts';
import { comparisons } from './check/comparisons.ts';
import { data } from './check/data.ts';
import { effects } from './check/effects.ts';
import { grantArguments } from './check/grant_arguments.ts';
import { members } from './check/members.ts';
import { metadata } from './check/metadata.ts';
import { names } from './check/names.ts';
import { negation } from './check/negation.ts';
import { obligations } from './check/obligations.ts';
import { placement } from './check/placement.ts';
import { reachability } from './check/reachability.ts';
import { reads } from './check/reads.ts';
import { regions } from './check/regions.ts';
import { shadowing } from './check/shadowing.ts';
import { syntax } from './check/syntax.ts';
import { unavailable } from './check/unavailable.ts';
import type { Opa } from './opa_run.ts';
import { parseOpaErrors, placeOf, type Finding, type ParsedPolicy } from './policy.ts';
import { staged } from './stage.ts';

/** The checks on the syntax tree, in the order in which they are reported. */
export const CHECKS = {
  placement,
  syntax,
  names,
  effects,
  obligations,
  argument_places: argumentPlaces,
  negation,
  comparisons,
  regions,
  builtins,
  unavailable,
  reads,
  members,
  shadowing,
  reachability,
  metadata,
  data,
  grant_arguments: grantArguments,
} as const satisfies Record<string, (policy: ParsedPolicy) => Finding[]>;

/**
 * All findings on a policy of the library's rule contract; none means that it may be built. What
 * stands in the wrong place is told first: OPA would only say what follows from it.
 */
export async function checkPolicy(opa: Opa, policy: ParsedPolicy): Promise<Finding[]> {
  const misplaced = placement(policy);
  if (misplaced.length > 0) return misplaced;
  const compiled = await strictCompile(opa, policy);
  if (compiled.length > 0) return compiled;
  const found = Object.values(CHECKS).flatMap((check) => check(policy));
  return found.length > 0 ? found : argumentSchemas(opa, policy);
}

/** OPA's own strict check, first: the trees of what does not compile mean nothing. */
export async function strictCompile(opa: Opa, { sources }: ParsedPolicy): Promise<Finding[]> {
  // With the data beside, as a bundle: a rule in the place of data is seen only so.
  const beside = { path: 'data.json', text: JSON.stringify(sources.data) };
  return staged([...sources.modules, ...sources.tests, beside], async (cwd) => {
    const args = ['check', '--strict', '--bundle', '--format', 'json', '.'];
    const { code, stderr } = await opa(args, { cwd });
    if (code === 0) return [];
    return parseOpaErrors(stderr).map(({ message, location }) => ({
      check: 'opa_check',
      place: placeOf(location),
      problem: message,
      instead: 'mend what OPA names',
    }));
  });
}
