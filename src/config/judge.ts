/** Judges settings, each source by itself, so that a message can say where the fault stands. */
import { pointerSteps } from '../contract/json.ts';
import { compileSchema } from '../contract/validate.ts';
import { nearestTo } from './nearest.ts';
import schema from './schema.json' with { type: 'json' };
import {
  ROOT,
  type SchemaNode,
  type Setting,
  SETTINGS,
  expectation,
  groupWithin,
} from './settings.ts';
import { type Source, invalid, isGroup, quoted } from './source.ts';

const validate = compileSchema<object>(schema);

/** Throws `CONFIGURATION_INVALID` with the name, place and remedy of the first fault. */
export function requireValid(source: Source): void {
  requireKnown(source, source.settings, ROOT, []);
  const validated = validate(source.settings);
  if (validated.ok) return;
  const steps = pointerSteps(validated.fault.pointer) ?? [];
  const setting = settingAbove(SETTINGS, steps);
  if (!setting) throw invalid(`the configuration breaks its schema at ${validated.fault.pointer}`);
  const { path, rule } = setting;
  // A member of a list of groups, where the fault is in one.
  const member = settingAbove(rule.members, steps.slice(path.length + 1));
  const place = member ? steps.slice(0, path.length + 1 + member.path.length) : path;
  const name = place.join('.');
  const wanted = expectation(member ?? setting);
  throw invalid(`\`${name}\` (${source.place(place)}) must be ${wanted}`, place);
}

function settingAbove(settings: readonly Setting[], steps: readonly string[]): Setting | undefined {
  return settings.find(({ path }) => path.every((step, at) => step === steps[at]));
}

function requireKnown(
  source: Source,
  value: unknown,
  { properties = {} }: SchemaNode,
  path: readonly string[],
): void {
  if (!isGroup(value)) throw notAGroup(source, path);
  for (const [step, member] of Object.entries(value)) {
    const node = Object.hasOwn(properties, step) ? properties[step] : undefined;
    if (!node) throw unknown(source, [...path, step], Object.keys(properties));
    if (node.properties) requireKnown(source, member, node, [...path, step]);
    const group = groupWithin(node);
    if (!group || !Array.isArray(member)) continue;
    for (const [at, item] of member.entries()) {
      requireKnown(source, item, group, [...path, step, String(at)]);
    }
  }
}

function notAGroup(source: Source, path: readonly string[]): Error {
  const name = path.length === 0 ? 'the configuration' : `\`${path.join('.')}\``;
  return invalid(`${name} (${source.place(path)}) must hold settings by name`, path);
}

function unknown(source: Source, path: readonly string[], siblings: readonly string[]): Error {
  const meant = likelyMeant(path, siblings);
  const hint = meant === undefined ? '' : `; did you mean \`${meant}\``;
  const place = source.place(path);
  return invalid(`the setting ${quoted(path.join('.'))} (${place}) is unknown${hint}`, path);
}

/** One that is written alike at this place, or the only one of that name at another. */
function likelyMeant(path: readonly string[], siblings: readonly string[]): string | undefined {
  const last = path.at(-1) ?? '';
  const sibling = nearestTo(last, siblings);
  if (sibling !== undefined) return [...path.slice(0, -1), sibling].join('.');
  const namesakes = SETTINGS.filter((setting) => setting.path.at(-1) === last);
  return namesakes.length === 1 ? namesakes[0]?.name : undefined;
}
