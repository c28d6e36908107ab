/**
 * `portcullis token add|list|revoke`: who may call the decision service over TCP. A token is
 * printed once, when it is made; the service keeps only what follows from it. A running service
 * takes a change within a second.
 */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Variables } from '../config/environment.ts';
import { loadConfiguration } from '../config/load.ts';
import type { Scope } from '../decision/types.ts';
import { PortcullisError } from '../errors.ts';
import { SCOPES } from '../pdp/authentication.ts';
import { newToken, type WrittenToken } from '../pdp/token_file.ts';
import {
  changeHashedTokens,
  hashedToken,
  readHashedTokens,
  type HashedToken,
} from '../pdp/token_hashes.ts';
import { print, printJson, type Terminal } from './terminal.ts';

export interface TokenOptions {
  config?: string;
  data?: string;
  json?: true;
}

interface NamedOptions extends TokenOptions {
  id: string;
}

interface AddOptions extends NamedOptions {
  scopes: string;
  tenants?: string;
  expires?: string;
}

/** Describes the commands; `done` is told the exit code. */
export function tokenCommand(
  program: Command,
  terminal: Terminal,
  variables: Variables | undefined,
  done: (code: number) => void,
): void {
  const token = program.command('token').description('who may call the service over TCP');
  const command = (name: string, description: string, example: string): Command =>
    token
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration (default: portcullis.yaml where there is one)')
      .option('--data <folder>', 'folder of the service: setting state')
      .option('--json', 'print the result as JSON')
      .addHelpText('after', `\nExample:\n  $ portcullis token ${name}${example}`);
  const fileOf = (options: TokenOptions): string => tokenFile(options, variables);
  command('add', 'make a token, printed once', ' --id desk --scopes decide --json > token')
    .requiredOption('--id <name>', 'name of its holder in the evidence')
    .requiredOption('--scopes <names>', `what its holder may do: ${SCOPES.join(', ')}`)
    .option('--tenants <names>', 'tenants whose subjects it may ask for (default: all)')
    .option('--expires <time>', 'RFC 3339 in UTC, such as 2027-01-31T00:00:00Z')
    .action((options: AddOptions) => done(addToken(fileOf(options), options, terminal)));
  command('list', 'the tokens that are taken, without the tokens', '').action(
    (options: TokenOptions) => done(listTokens(fileOf(options), options, terminal)),
  );
  command('revoke', 'take a token no longer', ' --id desk')
    .requiredOption('--id <name>', 'name of its holder')
    .action((options: NamedOptions) => done(revokeToken(fileOf(options), options, terminal)));
}

function tokenFile({ config, data }: TokenOptions, variables: Variables | undefined): string {
  const { pdp } = loadConfiguration({
    ...(config !== undefined && { config }),
    ...(variables && { variables }),
    overrides: data === undefined ? {} : { state: data },
    names: { server: 'portcullis', instance: 'main' },
  });
  return pdp.token_file;
}

/** The JSON that it prints is a file for `decision_point.token_file`. */
function addToken(file: string, options: AddOptions, terminal: Terminal): number {
  const { id, expires } = options;
  const scopes = scopesOf(options.scopes);
  const tenants = options.tenants?.split(',');
  const token = newToken();
  const entry = hashedToken(token, {
    id,
    scopes,
    ...(tenants && { tenants }),
    ...(expires !== undefined && { expires }),
  });
  changeHashedTokens(file, (tokens) => {
    if (tokens.some((other) => other.id === id)) throw wrong(`there is a token \`${id}\` already`);
    return [...tokens, entry];
  });
  const written: WrittenToken = { id, token, scopes };
  if (options.json) printJson(terminal, { tokens: [written] });
  else print(terminal, token);
  return 0;
}

function listTokens(file: string, { json }: TokenOptions, terminal: Terminal): number {
  const tokens = (existsSync(file) ? readHashedTokens(file) : []).map(shownOf);
  if (json) printJson(terminal, { tokens });
  else for (const token of tokens) print(terminal, describe(token));
  return 0;
}

/** Exit code 1: there was none. */
function revokeToken(file: string, { id, json }: NamedOptions, terminal: Terminal): number {
  let revoked = false;
  if (existsSync(file)) {
    changeHashedTokens(file, (tokens) => {
      const left = tokens.filter((token) => token.id !== id);
      revoked = left.length < tokens.length;
      return left;
    });
  }
  if (json) printJson(terminal, { revoked });
  else print(terminal, revoked ? `\`${id}\` is revoked` : `there is no token \`${id}\``);
  return revoked ? 0 : 1;
}

type Shown = Omit<HashedToken, 'stored_key' | 'server_key'>;

function shownOf({ stored_key: _, server_key: __, ...shown }: HashedToken): Shown {
  return shown;
}

function describe({ id, scopes, tenants, expires }: Shown): string {
  const bounds = [
    ...(tenants ? [`for ${tenants.join(', ')}`] : []),
    ...(expires === undefined ? [] : [`until ${expires}`]),
  ];
  return [id, scopes.join(', '), ...bounds].join(' ');
}

function scopesOf(text: string): Scope[] {
  const names = text.split(',');
  const unknown = names.find((name) => !SCOPES.some((scope) => scope === name));
  if (unknown !== undefined) throw wrong(`a scope is one of ${SCOPES.join(', ')}`);
  return [...new Set(names)] as Scope[];
}

function wrong(message: string): PortcullisError {
  return new PortcullisError('ARGUMENT_INVALID', message);
}
