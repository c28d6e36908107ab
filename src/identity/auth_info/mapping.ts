/** The declarative mapping from claims to attributes, checked once, with the schema's defaults. */
import { schemaFaultText } from '../../contract/fault_text.ts';
import { compileSchema } from '../../contract/validate.ts';
import { PortcullisError } from '../../errors.ts';
import schema from './mapping.schema.json' with { type: 'json' };

/** See mapping.schema.json. A claim is a name, or a JSON Pointer such as `/realm_access/roles`. */
export interface AuthInfoMapping {
  subject_claim?: string;
  subject_prefix?: string;
  groups?: string | null;
  tenant?: string | null;
  actor_type?: string | null;
  /** What values of that claim mean, as `value=type`; none: the value is the type. */
  actor_types?: readonly string[];
  /** Clients that are always one type of actor, as `client=type`. */
  client_actor_types?: readonly string[];
  /** Prefixes of the subjects of each issuer, as `issuer=prefix`. */
  issuer_prefixes?: readonly string[];
  /** A login (`auth_time`) that lies further in the future proves nobody. */
  clock_skew_seconds_max?: number;
}

const validate = compileSchema<AuthInfoMapping>(schema);

const { subject_claim, subject_prefix, clock_skew_seconds_max } = schema.properties;

/** Throws `CONFIGURATION_INVALID` with the pointer of the wrong setting. */
export function completeMapping(mapping: AuthInfoMapping): Required<AuthInfoMapping> {
  const validated = validate(mapping);
  if (!validated.ok) {
    const { pointer } = validated.fault;
    const message = `guard.identity is wrong: ${schemaFaultText(validated.fault)}`;
    throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer });
  }
  return {
    subject_claim: subject_claim.default,
    subject_prefix: subject_prefix.default,
    groups: null,
    tenant: null,
    actor_type: null,
    actor_types: [],
    client_actor_types: [],
    issuer_prefixes: [],
    clock_skew_seconds_max: clock_skew_seconds_max.default,
    ...validated.value,
  };
}

/** What a list of `name=value` says of a name; a name may hold the sign, a value does not. */
export function pairedWith(pairs: readonly string[], name: string): string | undefined {
  const pair = pairs.find((each) => each.slice(0, each.lastIndexOf('=')) === name);
  return pair?.slice(pair.lastIndexOf('=') + 1);
}
