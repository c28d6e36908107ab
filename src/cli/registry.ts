/**
 * `portcullis registry DIR`: whether the registry of a policy still says what its server lists, and
 * what the rules would no longer find under the definitions of today.
 */
import type { Variables } from '../config/environment.ts';
import { readEnvironment } from '../config/environment.ts';
import { PortcullisError } from '../errors.ts';
import { listTools, type ListedServer } from '../gateway/listed_tools.ts';
import { findings } from '../toolchain/build.ts';
import { parsePolicy, type Finding } from '../toolchain/policy.ts';
import {
  compareRegistry,
  serversOf,
  underListed,
  type Differences,
  type ListedTool,
  type ToolReport,
} from '../toolchain/registry.ts';
import type { Sources } from '../toolchain/sources.ts';
import { openOpa, placeIn, readPolicySources, readSettings } from './policy_tools.ts';
import { print, printJson, printProgress, styled, type Terminal } from './terminal.ts';

export interface RegistryOptions {
  /** Name of the server in the registry; default: the only one. */
  server?: string;
  upstream?: string;
  json?: true;
}

export async function runRegistry(
  folder: string,
  command: readonly string[],
  options: RegistryOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const { policy, toolchain, guard } = readSettings(variables);
  const sources = readPolicySources(folder, {}, policy);
  const server = serverIn(sources, options);
  const asked = askedServer(command, options, variables);
  printProgress(terminal, `asking the server \`${server}\` for its tools`);
  const { items } = await listTools(asked, guard);
  const listed = new Map<string, ListedTool>(
    [...items].map(([name, { digest, definition }]) => [
      name,
      { digest, input_schema: definition['inputSchema'] },
    ]),
  );
  const tools = compareRegistry(sources, server, listed);
  const opa = await openOpa(terminal, toolchain, variables);
  const parsed = await parsePolicy(opa, underListed(sources, server, listed));
  const found = (await findings(opa, parsed, {})).map((finding) => ({
    ...finding,
    place: placeIn(folder, finding.place),
  }));
  if (options.json) printJson(terminal, { server, tools, findings: found });
  else printReport(tools, found, terminal);
  return found.length > 0 || tools.some(isStale) ? 1 : 0;
}

function serverIn(sources: Sources, { server }: RegistryOptions): string {
  const names = serversOf(sources);
  if (server !== undefined) return server;
  if (names.length === 1 && names[0] !== undefined) return names[0];
  const which = names.length === 0 ? 'no tool' : `tools of ${names.join(', ')}`;
  const message = `the registry names ${which}: say with --server which server is asked`;
  throw new PortcullisError('ARGUMENT_INVALID', message);
}

function askedServer(
  [command, ...args]: readonly string[],
  { upstream: url }: RegistryOptions,
  variables: Variables | undefined,
): ListedServer {
  if ((command === undefined) === (url === undefined)) {
    const message = 'give the server to ask, either as --upstream or as a command after `--`';
    throw new PortcullisError('ARGUMENT_INVALID', message);
  }
  if (url !== undefined) return { url };
  const given = Object.entries(readEnvironment(variables).variables);
  const env = given.filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { command: command ?? '', arguments: args, env: Object.fromEntries(env) };
}

/** What stands on record and is not so any more. */
function isStale({ status }: ToolReport): boolean {
  return status === 'changed' || status === 'gone';
}

const TELLS: Readonly<Record<ToolReport['status'], (report: ToolReport) => string>> = {
  same: () => 'is as on record',
  changed: ({ differs, digest }) => `changed: ${differs ? wordsFor(differs, digest) : ''}`,
  gone: () => 'is not listed by the server any more',
  not_pinned: ({ digest }) => `is not pinned; digest: ${digest}`,
  new: ({ digest }) => `is not in the registry; digest: ${digest}`,
};

function wordsFor({ digest, ...lists }: Differences, now: string | undefined): string {
  const changed = Object.entries(lists).filter(([, pointers]) => pointers.length > 0);
  const parts = changed.map(([how, pointers]) => `${how} ${pointers.join(', ')}`);
  return [...parts, ...(digest ? [`its digest is now ${now}`] : [])].join('; ');
}

function printReport(
  tools: readonly ToolReport[],
  found: readonly Finding[],
  terminal: Terminal,
): void {
  const { stdout } = terminal;
  for (const tool of tools.filter(({ status }) => status !== 'same')) {
    print(terminal, `${styled(stdout, 'bold', tool.capability)} ${TELLS[tool.status](tool)}`);
  }
  for (const { check, place, problem, instead } of found) {
    print(terminal, `${styled(stdout, 'bold', place)} ${problem} (${check})`);
    print(terminal, `  ${instead}`);
  }
  const stale = tools.filter(isStale).length;
  const fine = stale === 0 && found.length === 0;
  const summary = `${tools.length} tools, ${stale} not as on record, ${found.length} refused`;
  print(terminal, styled(stdout, fine ? 'green' : 'red', summary));
}
