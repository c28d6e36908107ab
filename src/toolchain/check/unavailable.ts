import { callsIn, type Call, type Module } from '../ast.ts';
import { isAuthored, placeOf, type Finding, type ParsedPolicy } from '../policy.ts';

/** Builtins of OPA 1.22.0 that compiled policies cannot call: they would need the host. */
export const UNAVAILABLE_BUILTINS: readonly string[] = [
  'base64url.encode_no_pad',
  'glob.quote_meta',
  'graph.reachable_paths',
  'http.send',
  'indexof_n',
  'json.marshal_with_options',
  'json.match_schema',
  'json.patch',
  'json.verify_schema',
  'net.cidr_contains_matches',
  'net.cidr_expand',
  'net.cidr_is_valid',
  'net.cidr_merge',
  'net.lookup_ip_addr',
  'numbers.range_step',
  'object.subset',
  'opa.runtime',
  'providers.aws.sign_req',
  'rand.intn',
  'regex.find_n',
  'regex.globs_match',
  'regex.replace',
  'regex.template_match',
  'rego.parse_module',
  'strings.any_prefix_match',
  'strings.any_suffix_match',
  'strings.count',
  'strings.render_template',
  'strings.split_n',
  'trace',
];

/** Families of which no member is there. */
export const UNAVAILABLE_FAMILIES: readonly string[] = [
  'crypto.',
  'graphql.',
  'hex.',
  'io.',
  'semver.',
  'time.',
  'units.',
  'uri.',
  'urlquery.',
  'uuid.',
];

/** Builtins whose answer differs between OPA 1.22.0 and a policy that it compiled. */
const DIFFERING_BUILTINS: readonly string[] = [
  'base64.is_valid',
  'ceil',
  'floor',
  'json.is_valid',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
];

/**
 * A compiled policy has no clock, no network and no cryptography of its own. Found here by place;
 * loading such a policy would be refused as well, by name only.
 */
export function unavailable({ base, tests }: ParsedPolicy): Finding[] {
  const inRules = base.modules.filter(isAuthored).flatMap((module) => calls(module, problemOf));
  const inTests = tests.filter(isAuthored).flatMap((module) => calls(module, missing));
  return [...inRules, ...inTests];
}

type ProblemOf = (call: Call) => string | undefined;

function calls(module: Module, problemIn: ProblemOf): Finding[] {
  return (module.rules ?? [])
    .flatMap(callsIn)
    .map((call) => ({ call, problem: problemIn(call) }))
    .filter(({ problem }) => problem !== undefined)
    .map(({ call, problem = '' }) => ({
      check: 'unavailable',
      place: placeOf(call.location),
      problem: `\`${call.operator}\` ${problem} a compiled policy`,
      instead: 'take what it would say from the request or from data',
    }));
}

function missing({ operator }: Call): string | undefined {
  return isUnavailable(operator) ? 'is not there in' : undefined;
}

/** A set has no order, and each engine joins it in one of its own. */
function problemOf(call: Call): string | undefined {
  const isUnordered = call.operator === 'concat' && call.operands[1]?.type.startsWith('set');
  const differs = isUnordered || DIFFERING_BUILTINS.includes(call.operator);
  return missing(call) ?? (differs ? 'answers otherwise in' : undefined);
}

function isUnavailable(operator: string): boolean {
  return (
    UNAVAILABLE_BUILTINS.includes(operator) ||
    UNAVAILABLE_FAMILIES.some((family) => operator.startsWith(family))
  );
}
