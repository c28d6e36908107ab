/**
 * `guard(server)`: the guard of this process, put together from its configuration when the first
 * server is guarded. Where the configuration leaves something open that a guard must know, it
 * refuses and says what to set.
 */
import { loadConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/types.gen.ts';
import { explain, PortcullisError } from '../errors.ts';
import { fromAuthInfo } from '../identity/auth_info/source.ts';
import { fromLauncher } from '../identity/launcher/source.ts';
import type { IdentitySource, TrustedContext } from '../identity/types.ts';
import { createGuard, type Guard } from '../pep/mcp/guard.ts';
import type { HttpGuard, HttpOptions } from '../pep/mcp/http.ts';
import type { ServerFactory } from '../pep/mcp/http_types.ts';
import type { GuardSettings } from '../pep/settings.ts';
import { createLogger } from '../telemetry/create_logger.ts';
import { CLOCK, RANDOM } from './ambient.ts';
import { openDecisionPoint } from './decision_point.ts';
import { openDigestKey } from './digest_key.ts';

/** No server has this name; it tells that `guard.server` was not set. */
const UNNAMED = 'unnamed';

/** Puts a guard together. Throws `CONFIGURATION_INVALID`, naming what to set. */
export function openGuard(load: (instance: string) => Configuration = loadInstance): Guard {
  try {
    return assemble(load);
  } catch (error) {
    throw startFault(error);
  }
}

function assemble(load: (instance: string) => Configuration): Guard {
  const configuration = load('main');
  requireName(configuration);
  const log = createLogger(configuration.log);
  const { point, opened } = openDecisionPoint(configuration, load, log);
  const parts = {
    decisionPoint: point,
    identity: identityOf(configuration),
    settings: settingsOf(configuration),
    log,
    clock: CLOCK,
    random: RANDOM,
    digestKey: openDigestKey(configuration.guard.digest_key_file),
  };
  // A decision point that cannot be opened fails the start of the server, not each of its calls.
  const started = opened.catch((error: unknown) => {
    throw startFault(error);
  });
  const guard = createGuard(parts, started);
  return Object.assign(<S extends object>(server: S): S => guard(server), {
    http(factory: ServerFactory, options: HttpOptions = {}): HttpGuard {
      const { identity } = options;
      if (identity === undefined) return guard.http(factory, options);
      return guard.http(factory, { ...options, identity: placed(identity, configuration) });
    },
    wire: guard.wire,
    ready: guard.ready,
    close() {
      guard.close();
      void point.close();
    },
  });
}

function loadInstance(instance: string): Configuration {
  return loadConfiguration({ names: { server: UNNAMED, instance } });
}

function requireName({ guard }: Configuration): void {
  if (guard.server !== UNNAMED) return;
  const message =
    'the server has no name in the policy: set guard.server, in portcullis.yaml or as ' +
    'PORTCULLIS_GUARD_SERVER, to the name that its capabilities have in the grants';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/guard/server' });
}

function settingsOf({ guard, decision_point }: Configuration): GuardSettings {
  return { ...guard, decision_timeout_ms: decision_point.timeout_ms };
}

/** Over HTTP the host's own authentication proves who asks, on stdio the launcher's settings do. */
function identityOf(configuration: Configuration): IdentitySource {
  const { guard } = configuration;
  const overStdio = fromLauncher(guard);
  const overHttp = placed(fromAuthInfo(guard.identity), configuration);
  return (extra, report) => {
    const isHttp = extra.authInfo !== undefined || extra.requestInfo !== undefined;
    return (isHttp ? overHttp : overStdio)(extra, report);
  };
}

/** Adds where the server stands, which no credential says. */
function placed(source: IdentitySource, { guard }: Configuration): IdentitySource {
  const environment = Object.fromEntries(
    Object.entries(guard.environment).filter(([, value]) => value !== null),
  );
  const place = {
    ...(Object.keys(environment).length > 0 && { environment }),
    ...(guard.surface !== null && { surface: guard.surface }),
  };
  return (extra, report) => {
    const context = source(extra, report);
    return context && Object.freeze<TrustedContext>({ ...place, ...context });
  };
}

/**
 * What a server author sees of a start that failed, who hands it to nobody: the message alone says
 * what happened and what to do, and Node prints it, where nobody catches it, without a stack.
 */
function startFault(error: unknown): unknown {
  if (!(error instanceof PortcullisError) || error.code === 'INTERNAL') return error;
  const { code, pointer } = error;
  const fault = new PortcullisError(code, explain(error), pointer === undefined ? {} : { pointer });
  // Node shows the line where the trace begins: one that says what this is.
  Error.captureStackTrace(fault, startFault);
  const hidden = { enumerable: false };
  return Object.defineProperties(fault, {
    stack: { value: `${code}: ${fault.message}`, ...hidden },
    name: hidden,
    code: hidden,
    pointer: hidden,
  });
}
