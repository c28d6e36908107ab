import { jsonPointer, pointerSteps } from '../../contract/json.ts';
import { VALIDATORS } from '../../contract/validate.ts';
import type { Finding, ParsedPolicy } from '../policy.ts';

/**
 * What a grant tests of the arguments is there to be tested, where the registry holds the tool's
 * `input_schema`: a misspelt pointer would be a grant that never holds.
 */
export function grantArguments({ sources }: ParsedPolicy): Finding[] {
  const known = VALIDATORS.policy_data(sources.data);
  if (!known.ok) return [];
  const { grants = [], registry = {} } = known.value;
  return grants.flatMap((grant, at) => {
    const schema = registry[grant.on]?.input_schema;
    if (!schema) return [];
    return (['within', 'unless_within'] as const).flatMap((region) =>
      Object.keys(grant[region] ?? {})
        .filter((pointer) => !isReached(schema, pointerSteps(pointer) ?? []))
        .map((pointer) => ({
          check: 'grant_arguments',
          place: `data ${jsonPointer(['grants', `${at}`, region, pointer])}`,
          problem: `the tool has no argument \`${pointer}\` in its input_schema`,
          instead: 'spell the argument as the tool does, or mend the registry entry',
        })),
    );
  });
}

/** False only where the schema lists the members and this is none of them. */
function isReached(schema: unknown, steps: readonly string[]): boolean {
  const [step, ...rest] = steps;
  if (step === undefined || !isObject(schema)) return true;
  const { properties, items, additionalProperties } = schema;
  if (isObject(items)) return isReached(items, rest);
  if (!isObject(properties) || step === '*') return true;
  if (Object.hasOwn(properties, step)) return isReached(properties[step], rest);
  return additionalProperties !== undefined && additionalProperties !== false;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
