/** The environment of the process. The only reader of `process.env`. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { nearestTo } from './nearest.ts';
import { type SettingRule, SETTINGS, allowsNull, hasType } from './settings.ts';
import { type Source, invalid, putAt, quoted } from './source.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

export interface Environment {
  /** All variables, for child processes and for the search on `PATH`. */
  variables: Variables;
  /** Path of the configuration file. */
  config: string | undefined;
  /** Path of the `opa` binary for the tool chain. */
  opa: string | undefined;
  /** Folder for what must last (XDG base directories); undefined where there is no home. */
  state_home: string | undefined;
  /** Folder for what can be made again. */
  cache_home: string | undefined;
}

/** Variables that are no settings. */
const OTHERS = { config: 'PORTCULLIS_CONFIG', opa: 'PORTCULLIS_OPA' } as const;

/** Throws `CONFIGURATION_INVALID` for a `PORTCULLIS_*` that means nothing. */
export function readEnvironment(variables: Variables = process.env): Environment {
  requireKnownVariables(variables);
  const home = variables.HOME || findHome();
  return Object.freeze({
    variables: Object.freeze({ ...variables }),
    config: variables[OTHERS.config],
    opa: variables[OTHERS.opa],
    state_home: baseDirectory(variables.XDG_STATE_HOME, home, '.local/state'),
    cache_home: baseDirectory(variables.XDG_CACHE_HOME, home, '.cache'),
  });
}

function requireKnownVariables(variables: Variables): void {
  const known: string[] = [...Object.values(OTHERS), ...SETTINGS.map(({ variable }) => variable)];
  for (const name of Object.keys(variables)) {
    if (!name.startsWith('PORTCULLIS_') || known.includes(name)) continue;
    const nearest = nearestTo(name, known);
    const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\``;
    throw invalid(`the variable ${quoted(name)} is no setting${hint}`);
  }
}

/** XDG Base Directory Specification: a path that is not absolute is ignored. */
function baseDirectory(
  given: string | undefined,
  home: string | undefined,
  usual: string,
): string | undefined {
  if (given !== undefined && isAbsolute(given)) return given;
  return home === undefined ? undefined : join(home, usual);
}

function findHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/** The settings that variables hold; a list of texts is separated by commas. */
export function variablesSource(variables: Variables, folder: string): Source {
  const settings: Record<string, unknown> = {};
  for (const setting of SETTINGS) {
    const text = variables[setting.variable];
    if (text !== undefined) putAt(settings, setting.path, parseText(text, setting.rule));
  }
  return { settings, place: variableAt, folder };
}

function variableAt(path: readonly string[]): string {
  const setting = SETTINGS.find((each) => each.path.every((step, at) => step === path[at]));
  return setting?.variable ?? 'the environment';
}

/** A list of groups is JSON: nothing shorter would tell them apart. */
function parseGroups(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What cannot be read as the type stays text, and the schema refuses it. */
function parseText(text: string, rule: SettingRule): unknown {
  if (text === 'null' && allowsNull(rule)) return null;
  if (hasType(rule, 'integer') && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (hasType(rule, 'boolean') && /^(true|false)$/.test(text)) return text === 'true';
  if (!hasType(rule, 'array')) return text;
  if (rule.members.length > 0) return parseGroups(text);
  return text === '' ? [] : text.split(',').map((item) => item.trim());
}
