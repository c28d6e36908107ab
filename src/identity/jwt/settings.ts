/** The settings of verified tokens, checked once, with the defaults of their schemas. */
import { schemaFaultText } from '../../contract/fault_text.ts';
import { compileSchema, type Validator } from '../../contract/validate.ts';
import { PortcullisError } from '../../errors.ts';
import resourceSchema from '../resource/resource.schema.json' with { type: 'json' };
import type { ResourceSettings } from '../resource/resource.ts';
import jwtSchema from './jwt.schema.json' with { type: 'json' };
import type { ProofOfPossession } from './proof_of_possession.ts';

/** The settings `guard.identity.jwt`; see jwt.schema.json. */
export interface JwtSettings {
  issuer: string;
  audience: string | null;
  jwks_url: string | null;
  jwks_file: string | null;
  algorithms: readonly string[];
  types: readonly string[];
  claims_required: readonly string[];
  client_claim: string | null;
  revoked_file: string | null;
  revoked_bytes_max: number;
  token_bytes_max: number;
  jwks_timeout_ms: number;
  jwks_bytes_max: number;
  jwks_fresh_seconds_max: number;
  jwks_age_seconds_max: number;
  jwks_cooldown_ms: number;
}

export interface JwtOptions extends Partial<JwtSettings> {
  issuer: string;
  /** The settings `guard.identity.resource`. */
  resource: Partial<ResourceSettings> & Pick<ResourceSettings, 'url'>;
  /** Proofs of the key that a token is bound to, beside that by the client certificate. */
  proofs?: readonly ProofOfPossession[];
}

export interface CompleteJwt {
  jwt: JwtSettings;
  resource: ResourceSettings;
  proofs: readonly ProofOfPossession[];
}

const validateJwt = compileSchema<object>(jwtSchema);
const validateResource = compileSchema<object>(resourceSchema);

/** Throws `CONFIGURATION_INVALID` with the pointer of the wrong setting. */
export function completeJwt({ resource, proofs = [], ...given }: JwtOptions): CompleteJwt {
  const jwt = completed(validateJwt, jwtSchema, given, 'jwt') as JwtSettings;
  const described = completed(validateResource, resourceSchema, resource, 'resource');
  const { url, authorization_servers } = described as ResourceSettings;
  if (jwt.issuer === null) throw invalid('jwt', '/issuer', '`issuer` is missing');
  if (url === null) throw invalid('resource', '/url', '`url` is missing');
  if ((jwt.jwks_url === null) === (jwt.jwks_file === null)) {
    throw invalid('jwt', '/jwks_url', 'either `jwks_url` or `jwks_file` must be given');
  }
  const servers = authorization_servers.length > 0 ? authorization_servers : [jwt.issuer];
  const complete = { ...(described as ResourceSettings), authorization_servers: servers };
  return { jwt, resource: complete, proofs };
}

/** The settings over their defaults; the schemas have null where there is none. */
function completed(
  validate: Validator<object>,
  { properties }: { properties: object },
  given: object,
  group: string,
): object {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  const settings = valid(validate, Object.fromEntries(stated), group);
  const defaults = Object.entries(properties as Record<string, { default: unknown }>);
  return {
    ...Object.fromEntries(defaults.map(([name, setting]) => [name, setting.default])),
    ...settings,
  };
}

function valid<Value>(validate: Validator<Value>, value: unknown, group: string): Value {
  const validated = validate(value);
  if (validated.ok) return validated.value;
  const { pointer } = validated.fault;
  throw invalid(group, pointer, schemaFaultText(validated.fault));
}

function invalid(group: string, pointer: string, fault: string): PortcullisError {
  const message = `guard.identity.${group} is wrong: ${fault}`;
  return new PortcullisError('CONFIGURATION_INVALID', message, { pointer });
}
