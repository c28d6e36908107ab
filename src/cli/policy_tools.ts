/** What the commands on policies share: the author's sources beside the library, and OPA. */
import { realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readEnvironment, type Variables } from '../config/environment.ts';
import { loadConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { findOpa } from '../toolchain/opa.ts';
import { opaAt, type Opa } from '../toolchain/opa_run.ts';
import {
  gatherSources,
  librarySources,
  readSources,
  type SourceLimits,
  type Sources,
} from '../toolchain/sources.ts';
import { printProgress, type Terminal } from './terminal.ts';

/** Options of every command on a policy folder. */
export interface PolicyOptions {
  /** A policy of its own contract names its entrypoint, and gets no library. */
  entrypoint?: string;
  discovery?: string;
  /** House style is a gate too: formatting, titles, a test for each rule, every line covered. */
  strictStyle?: true;
  json?: true;
}

/** Beside `src` in a clone, beside `dist` in the package. */
const LIBRARY = fileURLToPath(new URL('../../policies/mcp', import.meta.url));

/** The settings that hold for the commands on policies, which keep no state and need no home. */
export function readSettings(variables?: Variables): Configuration {
  return loadConfiguration({
    ...(variables && { variables }),
    overrides: { state: tmpdir() },
    names: { server: 'portcullis', instance: 'main' },
  });
}

/** The sources of a policy folder; the library's own folder is a policy too. */
export function readPolicySources(
  folder: string,
  { entrypoint }: PolicyOptions,
  limits: SourceLimits,
): Sources {
  requireFolder(folder);
  if (isLibrary(folder)) return librarySources(readSources(LIBRARY, limits));
  const author = readSources(folder, limits);
  if (author.length > 0) {
    return gatherSources(author, entrypoint === undefined ? readSources(LIBRARY, limits) : []);
  }
  const message = `\`${folder}\` holds no policy: no .rego file, no data.yaml, no data.json`;
  throw new PortcullisError('ARGUMENT_INVALID', message);
}

/** OPA of the pinned version, from where it is or built once. */
export async function openOpa(
  terminal: Terminal,
  limits: Configuration['toolchain'],
  variables?: Variables,
): Promise<Opa> {
  const environment = readEnvironment(variables);
  const file = await findOpa({
    ...limits,
    opa: environment.opa,
    environment: environment.variables,
    cache: join(environment.cache_home ?? tmpdir(), 'portcullis'),
    progress: (text) => printProgress(terminal, text),
  });
  return opaAt(file, limits);
}

/** A place of the tool chain as a path that the user can open. */
export function placeIn(folder: string, place: string): string {
  return place.replace(/^policy\//, `${folder.replace(/\/$/, '')}/`);
}

/** Runs a command on a folder; the places in its error become paths that the user can open. */
export async function withPlaces<T>(folder: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    const { code, message, pointer, cause } = error;
    const lines = message.split('\n').map((line) => placeIn(folder, line));
    throw new PortcullisError(code, lines.join('\n'), { ...(pointer && { pointer }), cause });
  }
}

function requireFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PortcullisError('ARGUMENT_INVALID', `there is no folder \`${folder}\``);
}

function isLibrary(folder: string): boolean {
  return realpathSync(folder) === realpathSync(LIBRARY);
}
