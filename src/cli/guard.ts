/**
 * `guard(server)`: the guard of this process, put together from its configuration when the first
 * server is guarded. Where the configuration leaves something open that a guard must know, it
 * refuses and says what to set.
 */
import { loadConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/types.gen.ts';
import { explain, PortcullisError } from '../errors.ts';
import { createGuard, type Guard } from '../pep/mcp/guard.ts';
import type { HttpGuard, HttpOptions } from '../pep/mcp/http.ts';
import type { ServerFactory } from '../pep/mcp/http_types.ts';
import { openGuardParts, placed, UNNAMED } from './guard_parts.ts';

/** Puts a guard together. Throws `CONFIGURATION_INVALID`, naming what to set. */
export function openGuard(load: (instance: string) => Configuration = loadInstance): Guard {
  try {
    return assemble(load);
  } catch (error) {
    throw startFault(error);
  }
}

function assemble(load: (instance: string) => Configuration): Guard {
  const { configuration, parts, opened, close } = openGuardParts(load);
  // A decision point that cannot be opened fails the start of the server, not each of its calls.
  const started = opened.catch((error: unknown) => {
    throw startFault(error);
  });
  const guard = createGuard(parts, started);
  return Object.assign(<S extends object>(server: S): S => guard(server), {
    http(factory: ServerFactory, options: HttpOptions = {}): HttpGuard {
      const { identity: proof } = options;
      if (proof === undefined) return guard.http(factory, options);
      const identity =
        typeof proof === 'function'
          ? placed(proof, configuration)
          : { ...proof, identity: placed(proof.identity, configuration) };
      return guard.http(factory, { ...options, identity });
    },
    wire: guard.wire,
    ready: guard.ready,
    async close() {
      await guard.close();
      await close();
    },
  });
}

function loadInstance(instance: string): Configuration {
  return loadConfiguration({ names: { server: UNNAMED, instance } });
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
