/** The configuration: read once, judged whole, complete and frozen. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CONTRADICTIONS } from './contradictions.ts';
import { type Variables, readEnvironment, variablesSource } from './environment.ts';
import { readFileSource } from './file_source.ts';
import { requireValid } from './judge.ts';
import { type Setting, SETTINGS } from './settings.ts';
import { type Source, invalid, optionsSource, putAt, valueAt } from './source.ts';
import type { Configuration } from './types.gen.ts';

export interface LoadOptions {
  /** Path of the file; else `PORTCULLIS_CONFIG`, else `portcullis.yaml` where there is one. */
  config?: string;
  /** Settings of the command line, in the shape of the file. They go before all others. */
  overrides?: object;
  /** What `guard.server` and `instance` are where nobody says. */
  names: { server: string; instance: string };
  cwd?: string;
  variables?: Variables;
}

const USUAL_FILE = 'portcullis.yaml';

/**
 * Reads the file, the environment and the command line, the later before the earlier. Throws
 * `CONFIGURATION_INVALID` with the name and place of a setting that is unknown, malformed or
 * contradicts another.
 */
export function loadConfiguration(options: LoadOptions): Configuration {
  const cwd = options.cwd ?? process.cwd();
  const environment = readEnvironment(options.variables);
  const file = findFile(options.config ?? environment.config, cwd);
  const given = [
    ...(file === undefined ? [] : [readFileSource(file)]),
    variablesSource(environment.variables, cwd),
    optionsSource(options.overrides ?? {}, cwd),
  ];
  for (const source of given) requireValid(source);
  const sources = [namesSource(options.names, cwd), ...given];
  const settings = complete(sources, environment.state_home);
  requireValid({ settings, place: (path) => placeOf(path, sources), folder: cwd });
  requireConsistent(settings, sources);
  return freeze(settings);
}

function findFile(named: string | undefined, cwd: string): string | undefined {
  if (named !== undefined) return resolve(cwd, named);
  const usual = resolve(cwd, USUAL_FILE);
  return existsSync(usual) ? usual : undefined;
}

function namesSource({ server, instance }: LoadOptions['names'], folder: string): Source {
  return { settings: { instance, guard: { server } }, place: () => 'its default', folder };
}

/** Stands in defaults for the value of another setting. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  '<server>': 'guard.server',
  '<instance>': 'instance',
  '<state>': 'state',
};

/** All settings: the given ones over the defaults, with paths made absolute. */
function complete(sources: readonly Source[], state_home: string | undefined): Configuration {
  const valueOf = (setting: Setting): unknown => {
    const source = lastWith(setting.path, sources);
    if (source) return completed(setting, valueAt(source.settings, setting.path), source.folder);
    const { default: usual } = setting.rule;
    return typeof usual === 'string' ? usual.replace(/<\w+>|\$XDG_STATE_HOME/g, fill) : usual;
  };
  const fill = (placeholder: string): string => {
    const setting = SETTINGS.find(({ name }) => name === PLACEHOLDERS[placeholder]);
    return setting ? String(valueOf(setting)) : requireHome(state_home);
  };
  const settings = {};
  for (const setting of SETTINGS) putAt(settings, setting.path, structuredClone(valueOf(setting)));
  return settings as Configuration;
}

function lastWith(path: readonly string[], sources: readonly Source[]): Source | undefined {
  return sources.findLast(({ settings }) => valueAt(settings, path) !== undefined);
}

/** A given value, its paths absolute; in each group of a list, the defaults of what is missing. */
function completed({ rule }: Setting, value: unknown, folder: string): unknown {
  if (rule.is_path && typeof value === 'string') return resolve(folder, value);
  if (rule.members.length === 0 || !Array.isArray(value)) return value;
  return value.map((group: unknown) => {
    const given = rule.members.map((member) => {
      const found = valueAt(group, member.path) ?? member.rule.default;
      return [member.path.join('.'), completed(member, found, folder)];
    });
    return Object.fromEntries(given) as unknown;
  });
}

function requireHome(state_home: string | undefined): string {
  if (state_home !== undefined) return state_home;
  throw invalid('there is no home folder: give `state`, or set XDG_STATE_HOME', ['state']);
}

function requireConsistent(settings: Configuration, sources: readonly Source[]): void {
  const found = CONTRADICTIONS.find(({ holds }) => holds(settings));
  if (!found) return;
  const named = found.names.map((name) => `\`${name}\` (${placeOf(name.split('.'), sources)})`);
  throw invalid(`${named.join(' and ')} ${found.fault}`, found.names[0]?.split('.'));
}

function placeOf(path: readonly string[], sources: readonly Source[]): string {
  return lastWith(path, sources)?.place(path) ?? 'its default';
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) freeze(member);
  }
  return Object.freeze(value);
}
