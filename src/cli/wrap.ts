/** `portcullis wrap -- command args…`: a server that nobody changed, behind a guard. */
import type { Variables } from '../config/environment.ts';
import { readEnvironment } from '../config/environment.ts';
import { loadConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { childEnvironment } from '../gateway/stdio/environment.ts';
import { wrapStdio, type Ending } from '../gateway/stdio/wrap.ts';
import { Connection } from '../pep/connection.ts';
import { PolicyWatch } from '../pep/policy_watch.ts';
import { openGuardParts, UNNAMED, type OpenedParts } from './guard_parts.ts';
import { stopSignal } from './stop_signal.ts';
import type { Terminal } from './terminal.ts';

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
}

/** A wrapped server is answered for as one of this line: its unknown tools are an error. */
const LINE = 2;

export async function runWrap(
  command: readonly string[],
  options: WrapOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const [file, ...args] = command;
  if (file === undefined) throw noCommand();
  const overrides = overridesOf(options);
  const load = (instance: string): Configuration =>
    loadConfiguration({
      ...(options.config !== undefined && { config: options.config }),
      ...(variables && { variables }),
      overrides,
      names: { server: UNNAMED, instance },
    });
  await using stack = new AsyncDisposableStack();
  const stopped = stopSignal(stack);
  const guarding = openGuardParts(load, terminal.stderr);
  stack.defer(() => guarding.parts.decisionPoint.close());
  await guarding.opened;
  const env = childEnvironment(
    readEnvironment(variables).variables,
    guarding.configuration.wrap.env,
  );
  const watch = watchOf(guarding);
  stack.defer(() => watch.close());
  const ending = await wrapStdio(
    { stdin: terminal.stdin ?? process.stdin, stdout: terminal.stdout as NodeJS.WriteStream },
    { file, arguments: args, env },
    {
      open: (wire) => new Connection(guarding.parts, watch, LINE, wire),
      settings: guarding.configuration.wrap,
      log: guarding.parts.log,
      stderr: terminal.stderr as NodeJS.WriteStream,
      name: guarding.configuration.guard.server,
      stopped,
    },
  );
  requireWanted(ending, file);
  return 0;
}

/** A server that ended by itself is not started again: its host must see that it is gone. */
function requireWanted(ending: Ending, file: string): void {
  if (ending.by !== 'server') return;
  throw new PortcullisError('UPSTREAM_FAILED', `the server \`${file}\` ended ${ending.how}`);
}

function watchOf({ parts }: OpenedParts): PolicyWatch {
  const { decisionPoint, settings, log } = parts;
  return new PolicyWatch(decisionPoint, settings.decision_timeout_ms, log);
}

/** Options in the shape of the configuration file. A bundle is decided by in this process. */
function overridesOf({ server, bundle, policyData, data, env }: WrapOptions): object {
  return {
    ...(data !== undefined && { state: data }),
    ...(server !== undefined && { guard: { server } }),
    ...(bundle !== undefined && { decision_point: { embedded: true } }),
    policy: {
      ...(bundle !== undefined && { bundle }),
      ...(policyData !== undefined && { data: policyData }),
    },
    ...(env !== undefined && { wrap: { env } }),
  };
}

function noCommand(): PortcullisError {
  const message = 'there is no server to wrap: name its command after `--`';
  return new PortcullisError('ARGUMENT_INVALID', message);
}
