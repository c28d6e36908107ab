import { describe, expect, test } from '@jest/globals';
import { loadConfiguration } from '../../src/config/load.ts';
import schema from '../../src/config/schema.json' with { type: 'json' };
import { SETTINGS, type Setting, allowsNull, hasType } from '../../src/config/settings.ts';
import { putAt, valueAt } from '../../src/config/source.ts';
import jwtSchema from '../../src/identity/jwt/jwt.schema.json' with { type: 'json' };
import resourceSchema from '../../src/identity/resource/resource.schema.json' with { type: 'json' };
import mapping from '../../src/identity/auth_info/mapping.schema.json' with { type: 'json' };

const NUMBERS = SETTINGS.filter(({ rule }) => hasType(rule, 'integer'));

/** Limits that a neighbour bounds too are widened there. */
const ROOM = {
  evidence: { segment_bytes_max: 1_073_741_824 },
  policy: { age_seconds_max: 0, unpacked_bytes_max: 524_288_000 },
  guard: {
    identity: {
      jwt: {
        jwks_fresh_seconds_max: 1,
        jwks_age_seconds_max: 604_800,
        jwks_cooldown_ms: 10,
      },
    },
  },
};

function loadWith({ path }: Setting, value: unknown): unknown {
  const overrides = structuredClone(ROOM) as Record<string, unknown>;
  if (path.join('.') === 'evidence.segment_bytes_max') {
    putAt(overrides, ['evidence', 'record_bytes_max'], 65_536);
  }
  if (path.join('.') === 'policy.unpacked_bytes_max') {
    putAt(overrides, ['policy', 'archive_bytes_max'], 1024);
  }
  if (path.join('.') === 'policy.age_seconds_max') {
    putAt(overrides, ['policy', 'reload_interval_ms'], 50);
  }
  if (path.join('.') === 'policy.remote.poll_interval_ms') {
    putAt(overrides, ['policy', 'remote', 'silence_ms_max'], 86_400_000);
  }
  if (path.join('.') === 'policy.remote.silence_ms_max') {
    putAt(overrides, ['policy', 'remote', 'poll_interval_ms'], 50);
  }
  putAt(overrides, path, value);
  const names = { server: 's', instance: 'i' };
  const options = { names, overrides, cwd: '/nowhere', variables: { HOME: '/nobody' } };
  return valueAt(loadConfiguration(options), path);
}

describe.each(NUMBERS)('$name', (setting) => {
  const { minimum = NaN, maximum = NaN, default: usual } = setting.rule;

  test('is taken at its limits and at its default', () => {
    expect(loadWith(setting, minimum)).toBe(minimum);
    expect(loadWith(setting, maximum)).toBe(maximum);
    expect(loadWith(setting, usual)).toBe(usual);
  });

  const nothing = allowsNull(setting.rule) ? [] : [null];

  test.each([minimum - 1, maximum + 1, minimum + 0.5, NaN, Infinity, '7', ...nothing])(
    'refuses %p',
    (value) => {
      const message = expect.stringMatching(
        new RegExp(`^\`${setting.name}\` .* must be an integer from ${minimum} to ${maximum} `),
      );
      expect(() => loadWith(setting, value)).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION_INVALID', message }),
      );
    },
  );
});

const MEMBERS = SETTINGS.flatMap(({ path, rule }) =>
  rule.members.map((member) => ({ ...member, list: path, name: member.name })),
);
const MEMBER_NUMBERS = MEMBERS.filter(({ rule }) => hasType(rule, 'integer'));

/** A list of one group that has what it must have, and this. */
function loadMember({ list, path }: (typeof MEMBERS)[number], value: unknown): unknown {
  const room = { retry_interval_ms: 10, retry_interval_ms_max: 86_400_000 };
  const group = { name: 'one', type: 'jsonl', ...room };
  putAt(group, path, value);
  const overrides = {};
  putAt(overrides, list, [group]);
  const names = { server: 's', instance: 'i' };
  const options = { names, overrides, cwd: '/nowhere', variables: { HOME: '/nobody' } };
  return valueAt(loadConfiguration(options), [...list, '0', ...path]);
}

describe.each(MEMBER_NUMBERS)('$name', (member) => {
  const { minimum = NaN, maximum = NaN, default: usual } = member.rule;

  test('is taken at its limits and at its default', () => {
    expect(loadMember(member, minimum)).toBe(minimum);
    expect(loadMember(member, maximum)).toBe(maximum);
    expect(loadMember(member, usual)).toBe(usual);
  });

  test.each([minimum - 1, maximum + 1, minimum + 0.5, NaN, Infinity, '7', null])(
    'refuses %p',
    (value) => {
      const place = `${member.list.join('.')}.0.${member.path.join('.')}`;
      const message = expect.stringMatching(
        new RegExp(`^\`${place}\` .* must be an integer from ${minimum} to ${maximum} `),
      );
      expect(() => loadMember(member, value)).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION_INVALID', message }),
      );
    },
  );
});

test('[O-04] each member of a list of groups has a description, and its limits', () => {
  expect(MEMBERS.filter(({ rule }) => !/^[A-Z`].*\.$/.test(rule.description))).toEqual([]);
  expect(MEMBER_NUMBERS.filter(({ unit }) => unit === undefined)).toEqual([]);
  const boundless = MEMBERS.filter(
    ({ rule }) => hasType(rule, 'string') && rule.maxLength === undefined,
  );
  expect(boundless).toEqual([]);
});

test('[O-04] each setting has a default, a description and a variable of its own', () => {
  const lacking = SETTINGS.filter(
    ({ rule }) => rule.default === undefined || !/^[A-Z`].*\.$/.test(rule.description),
  );
  expect(lacking).toEqual([]);
  expect(new Set(SETTINGS.map(({ variable }) => variable)).size).toBe(SETTINGS.length);
});

test('[O-04] each number has its unit in its name, and each text and list a limit', () => {
  expect(NUMBERS.filter(({ unit }) => unit === undefined)).toEqual([]);
  const boundless = SETTINGS.filter(
    ({ rule }) =>
      (hasType(rule, 'string') && rule.maxLength === undefined) ||
      (hasType(rule, 'array') && rule.maxItems === undefined),
  );
  expect(boundless).toEqual([]);
});

test('the mapping of claims is the one that the identity source takes', () => {
  const { properties } = schema.properties.guard.properties.identity;
  const { jwt, resource, ...mapped } = properties;
  expect(Object.keys(mapped)).toEqual(Object.keys(mapping.properties));
  const lists = ['actor_types', 'client_actor_types', 'issuer_prefixes'] as const;
  for (const list of lists) expect(properties[list]).toEqual(mapping.properties[list]);
  expect(jwt.properties).toEqual(jwtSchema.properties);
  expect(resource.properties).toEqual(resourceSchema.properties);
  const { claim, optional_claim, optional_path } = schema.$defs;
  expect({ claim, optional_claim, optional_path }).toEqual(jwtSchema.$defs);
  expect(properties.subject_claim.default).toBe(mapping.properties.subject_claim.default);
  expect(properties.subject_prefix).toMatchObject({
    default: mapping.properties.subject_prefix.default,
    pattern: mapping.properties.subject_prefix.pattern,
    maxLength: mapping.properties.subject_prefix.maxLength,
  });
  expect(schema.$defs.claim).toMatchObject({ pattern: mapping.$defs.claim.pattern });
});
