import { callsIn, type Module } from '../ast.ts';
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

/**
 * A compiled policy has no clock, no network and no cryptography of its own. Found here by place;
 * loading such a policy would be refused as well, by name only.
 */
export function unavailable({ base, tests }: ParsedPolicy): Finding[] {
  return [...base.modules, ...tests].filter(isAuthored).flatMap(calls);
}

function calls(module: Module): Finding[] {
  return (module.rules ?? [])
    .flatMap(callsIn)
    .filter(({ operator }) => isUnavailable(operator))
    .map(({ operator, location }) => ({
      check: 'unavailable',
      place: placeOf(location),
      problem: `\`${operator}\` is not there in a compiled policy`,
      instead: 'take what it would say from the request or from data',
    }));
}

function isUnavailable(operator: string): boolean {
  return (
    UNAVAILABLE_BUILTINS.includes(operator) ||
    UNAVAILABLE_FAMILIES.some((family) => operator.startsWith(family))
  );
}
