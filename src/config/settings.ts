/** The settings as a table, made from schema.json, which is their one source. */
import schema from './schema.json' with { type: 'json' };

/** One setting. */
export interface Setting {
  /** Its place, such as `['pdp', 'listen']`. */
  path: readonly string[];
  /** `pdp.listen` */
  name: string;
  /** `PORTCULLIS_PDP_LISTEN` */
  variable: string;
  rule: SettingRule;
  /** Of a number; the name holds it. */
  unit: string | undefined;
}

/** What a setting may be, with its definition resolved. */
export interface SettingRule {
  type?: string | readonly string[];
  enum?: readonly (string | null)[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  /** Text may hold `<server>`, `<instance>`, `<state>` and `$XDG_STATE_HOME`. */
  default: unknown;
  description: string;
  examples?: readonly unknown[];
  /** Its text is a path. */
  is_path: boolean;
  /** Of a list of groups: the settings of each, with their places within it. */
  members: readonly Setting[];
}

/** A setting or a group of settings in the schema. */
export interface SchemaNode {
  description: string;
  $ref?: string;
  properties?: Readonly<Record<string, SchemaNode>>;
  items?: object;
}

/** The group that holds everything. */
export const ROOT: SchemaNode = schema;

const DEFINITIONS: Readonly<Record<string, object>> = schema.$defs;

/** Units that stand in the names of numbers. */
const UNIT = new RegExp(
  '(ms|us|seconds|days|bytes|pages|files|items|records|requests|evaluations|connections|sessions|' +
    'instances|refusals|subscriptions|tasks|tenants)' +
    '(_per_instance|_per_principal|_in_flight)?(_max)?$',
);

/** All settings in the order of the schema. */
export const SETTINGS: readonly Setting[] = listSettings(ROOT, []);

function listSettings({ properties = {} }: SchemaNode, above: readonly string[]): Setting[] {
  return Object.entries(properties).flatMap(([step, node]) => {
    const path = [...above, step];
    return node.properties ? listSettings(node, path) : [settingAt(path, node)];
  });
}

function settingAt(path: readonly string[], node: SchemaNode): Setting {
  const definition = definitionName(node);
  const is_path = definition.endsWith('path');
  const members = memberSettings(path, node);
  return {
    path,
    name: path.join('.'),
    variable: ['PORTCULLIS', ...path].join('_').toUpperCase(),
    rule: { ...DEFINITIONS[definition], ...node, is_path, members } as unknown as SettingRule,
    unit: UNIT.exec(path.at(-1) ?? '')?.[1],
  };
}

function definitionName({ $ref = '' }: { $ref?: string }): string {
  return $ref.replace('#/$defs/', '');
}

/** Named as `list[].member`; the variable is that of the list. */
function memberSettings(path: readonly string[], { items = {} }: SchemaNode): Setting[] {
  const group = groupWithin({ items });
  if (!group) return [];
  return listSettings(group, []).map((setting) => ({
    ...setting,
    name: `${path.join('.')}[].${setting.name}`,
    variable: ['PORTCULLIS', ...path].join('_').toUpperCase(),
  }));
}

/** What each member of a list holds, where it is a list of groups. */
export function groupWithin({ items = {} }: Pick<SchemaNode, 'items'>): SchemaNode | undefined {
  const group = DEFINITIONS[definitionName(items)] as SchemaNode | undefined;
  return group?.properties && group;
}

/** The words that a setting may be, or none where it is not one of a few. */
export function choicesOf({ enum: choices = [] }: SettingRule): string[] {
  return choices.filter((choice) => choice !== null);
}

export function allowsNull({ type, enum: choices }: SettingRule): boolean {
  return choices?.includes(null) ?? (Array.isArray(type) && type.includes('null'));
}

/** Whether values of that JSON type are allowed. */
export function hasType({ type }: SettingRule, wanted: string): boolean {
  return type === wanted || (Array.isArray(type) && type.includes(wanted));
}

/** What a setting must be, in words. */
export function expectation(setting: Setting): string {
  return `${wordsFor(setting)}${allowsNull(setting.rule) ? ' or null' : ''}`;
}

function wordsFor({ rule, unit }: Setting): string {
  if (rule.enum) {
    return `one of ${choicesOf(rule)
      .map((choice) => `\`${choice}\``)
      .join(', ')}`;
  }
  if (hasType(rule, 'boolean')) return 'true or false';
  if (hasType(rule, 'integer')) return `an integer from ${rule.minimum} to ${rule.maximum} ${unit}`;
  if (hasType(rule, 'array')) {
    return `a list of up to ${rule.maxItems} ${rule.members.length > 0 ? 'groups' : 'texts'}`;
  }
  if (rule.is_path) return 'a path';
  const [example] = rule.examples ?? [];
  const such = typeof example === 'string' ? ` such as \`${example}\`` : '';
  return `a text of 1 to ${rule.maxLength} characters${such}`;
}
