/**
 * `portcullis wrap -- command args…` and `portcullis wrap --upstream URL`: a server that nobody
 * changed, behind a guard.
 */
import { readEnvironment, type Variables } from '../config/environment.ts';
import { loadConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { childEnvironment } from '../gateway/stdio/environment.ts';
import { wrapStdio, type Ending } from '../gateway/stdio/wrap.ts';
import { Connection, shareOf } from '../pep/connection.ts';
import type { Wire } from '../pep/ends.ts';
import { PolicyWatches } from '../pep/policy_watch.ts';
import type { GuardParts } from '../pep/settings.ts';
import { openGuardParts, UNNAMED } from './guard_parts.ts';
import { stopSignal } from './stop_signal.ts';
import { print, type Terminal } from './terminal.ts';
import { serveHttp } from './wrap_http.ts';

export interface WrapOptions {
  config?: string;
  /** Name of the server in the policy. */
  server?: string;
  bundle?: string;
  policyData?: string;
  /** Folder for evidence and keys. */
  data?: string;
  /** Names of variables that the server is given. */
  env?: string[];
  /** URL of a server over HTTP. */
  upstream?: string;
  /** Pairs of a header and the variable with its value. */
  upstreamHeaderEnv?: string[];
  listen?: string;
}

/** A wrapped server is answered for as one of this line: its unknown tools are an error. */
const LINE = 2;

export async function runWrap(
  command: readonly string[],
  options: WrapOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const load = (instance: string): Configuration =>
    loadConfiguration({
      ...(options.config !== undefined && { config: options.config }),
      ...(variables && { variables }),
      overrides: overridesOf(options),
      names: { server: UNNAMED, instance },
    });
  const target = targetOf(command, load('main'));
  await using stack = new AsyncDisposableStack();
  const stopped = stopSignal(stack);
  const { parts, configuration, opened, close } = openGuardParts(load, terminal.stderr);
  stack.defer(close);
  await opened;
  const { decisionPoint, settings, log } = parts;
  const watches = new PolicyWatches(decisionPoint, settings, log);
  stack.defer(() => watches.close());
  const shared = shareOf(parts, watches);
  stack.defer(() => shared.refusals.close());
  const open = (own: GuardParts, wire: Wire): Connection => new Connection(own, shared, LINE, wire);
  const environment = readEnvironment(variables).variables;
  if ('url' in target) {
    const at = await serveHttp(target.url, configuration, parts, environment, open, stack);
    print(terminal, `guards ${target.url} on ${at.url}, ${at.takes}`);
    await stopped;
    return 0;
  }
  const { wrap, guard } = configuration;
  const ending = await wrapStdio(
    { stdin: terminal.stdin ?? process.stdin, stdout: terminal.stdout as NodeJS.WriteStream },
    { ...target, env: childEnvironment(environment, wrap.env) },
    {
      open: (wire) => open(parts, wire),
      settings: wrap,
      log,
      stderr: terminal.stderr as NodeJS.WriteStream,
      name: guard.server,
      stopped,
    },
  );
  requireWanted(ending, target.file);
  return 0;
}

type Target = { url: string } | { file: string; arguments: readonly string[] };

function targetOf([file, ...args]: readonly string[], { wrap }: Configuration): Target {
  if (file !== undefined && wrap.upstream === null) return { file, arguments: args };
  if (file === undefined && wrap.upstream !== null) return { url: wrap.upstream };
  const message =
    file === undefined
      ? 'there is no server to wrap: name its command after `--`, or its URL by --upstream'
      : 'a server is either a command or a URL: --upstream and a command cannot both be given';
  throw new PortcullisError('ARGUMENT_INVALID', message);
}

/** A server that ended by itself is not started again: its host must see that it is gone. */
function requireWanted(ending: Ending, file: string): void {
  if (ending.by !== 'server') return;
  throw new PortcullisError('UPSTREAM_FAILED', `the server \`${file}\` ended ${ending.how}`);
}

/** Options in the shape of the configuration file. A bundle is decided by in this process. */
function overridesOf(options: WrapOptions): object {
  const { server, bundle, policyData, data, env, upstream, upstreamHeaderEnv, listen } = options;
  return {
    ...(data !== undefined && { state: data }),
    ...(server !== undefined && { guard: { server } }),
    ...(bundle !== undefined && { decision_point: { embedded: true } }),
    policy: {
      ...(bundle !== undefined && { bundle }),
      ...(policyData !== undefined && { data: policyData }),
    },
    wrap: {
      ...(env !== undefined && { env }),
      ...(upstream !== undefined && { upstream }),
      ...(upstreamHeaderEnv !== undefined && { upstream_headers: upstreamHeaderEnv }),
      ...(listen !== undefined && { listen }),
    },
  };
}
