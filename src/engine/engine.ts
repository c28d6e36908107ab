/**
 * Runs a compiled policy. One instance is kept as it was after loading and never evaluates; the
 * one that does is dropped after any throw, when it has worked long enough or has grown too far,
 * and its successor is cloned from the first. So no input can damage the evaluation of a later one.
 */
import { digestOfBytes } from '../contract/digest.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { PolicyInstance } from './instance.ts';
import { sizeMemory, type MemorySize } from './memory.ts';
import type { Engine, EngineLimits, EngineOptions } from './types.ts';
import { WebAssembly } from './webassembly.ts';
import type { WasmModule } from './webassembly.ts';

/**
 * The builtins that the SDK serves; it offers no list of them. Those that throw on a wrong argument
 * end the evaluation, and with it the instance.
 */
const HOST_BUILTINS: ReadonlySet<string> = new Set([
  'json.is_valid',
  'regex.split',
  'sprintf',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
]);

/** What a module of ABI 1.2 exports and one of an older ABI, or of another maker, does not. */
const NEEDED_EXPORTS = ['opa_eval', 'opa_wasm_abi_version', 'builtins', 'entrypoints'];

/**
 * Compiles a policy and loads its data. Throws `BUNDLE_INVALID` where it is none, and
 * `ENGINE_UNSUITED` with the missing thing's name.
 */
export async function loadEngine({ wasm, data, limits, log }: EngineOptions): Promise<Engine> {
  const module = await compile(wasm);
  const size = sizeMemory(wasm, limits.memory_pages_max);
  const pristine = startInstance(module, size);
  refuseMissingBuiltins(pristine);
  const text = JSON.stringify(data);
  loadData(pristine, text);
  return new PolicyEngine(pristine, size.maximum, limits, log);
}

async function compile(wasm: Uint8Array): Promise<WasmModule> {
  let module: WasmModule;
  try {
    module = await WebAssembly.compile(wasm);
  } catch (cause) {
    const message = 'its policy module is damaged, or is not WebAssembly';
    throw new PortcullisError('BUNDLE_INVALID', message, { cause });
  }
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const missing = NEEDED_EXPORTS.find((name) => !exported.has(name));
  if (missing === undefined) return module;
  const message = `its module is no policy of ABI 1.2: it exports no ${missing}`;
  throw new PortcullisError('BUNDLE_INVALID', message);
}

function startInstance(module: WasmModule, size: MemorySize): PolicyInstance {
  try {
    return new PolicyInstance(module, size);
  } catch (cause) {
    const message = 'its policy module is damaged: it cannot be started';
    throw new PortcullisError('BUNDLE_INVALID', message, { cause });
  }
}

function loadData(instance: PolicyInstance, text: string): void {
  try {
    instance.loadData(text);
  } catch (cause) {
    const message = 'the policy cannot hold its data within memory_pages_max';
    throw new PortcullisError('ENGINE_UNSUITED', message, { cause });
  }
}

/** A missing builtin would only show when a rule first calls it. */
function refuseMissingBuiltins(instance: PolicyInstance): void {
  const missing = instance.builtins().filter((name) => !HOST_BUILTINS.has(name));
  if (missing.length === 0) return;
  const message = `the policy calls builtins that are not here: ${missing.sort().join(', ')}`;
  throw new PortcullisError('ENGINE_UNSUITED', message);
}

class PolicyEngine implements Engine {
  readonly entrypoints: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #limits: EngineLimits;
  readonly #log: Logger;
  /** Half of the room to grow: below it the next evaluation has at least as much again. */
  readonly #worn_pages: number;
  #pristine: PolicyInstance | undefined;
  #working: PolicyInstance | undefined;

  constructor(pristine: PolicyInstance, pages_max: number, limits: EngineLimits, log: Logger) {
    this.#pristine = pristine;
    this.#ids = pristine.entrypoints();
    this.entrypoints = [...this.#ids.keys()].sort();
    this.#worn_pages = (pristine.pages + pages_max) / 2;
    this.#limits = limits;
    this.#log = log;
  }

  evaluate(entrypoint: string, input: string): unknown {
    const id = this.#ids.get(entrypoint);
    if (id === undefined) {
      throw new PortcullisError(
        'ENGINE_UNSUITED',
        `the policy has no entrypoint \`${entrypoint}\``,
      );
    }
    this.#admit(input);
    const results = this.#run(id, entrypoint, input);
    this.#replaceWorn();
    return soleResult(results);
  }

  close(): void {
    this.#pristine = undefined;
    this.#working = undefined;
  }

  /** Catches what is not the text of an object at all; the rest is the caller's word. */
  #admit(input: string): void {
    if (typeof input !== 'string' || !input.startsWith('{') || !input.endsWith('}')) {
      throw new PortcullisError('INTERNAL', 'the input of an evaluation is not JSON text');
    }
    if (Buffer.byteLength(input) > this.#limits.input_bytes_max) {
      throw new PortcullisError('REQUEST_TOO_LARGE', 'the input is larger than input_bytes_max');
    }
  }

  #run(id: number, entrypoint: string, input: string): unknown {
    try {
      this.#working ??= this.#pristine?.clone();
      if (this.#working) return this.#working.evaluate(id, input);
    } catch (cause) {
      this.#working = undefined;
      const input_digest = digestOfBytes(input);
      this.#log.warn('an evaluation broke off', { entrypoint, input_digest, cause: named(cause) });
      throw new PortcullisError('ENGINE_ABORTED', 'the evaluation broke off', { cause });
    }
    throw new PortcullisError('ENGINE_ABORTED', 'the engine is closed');
  }

  #replaceWorn(): void {
    if (!this.#working) return;
    const { evaluations, pages } = this.#working;
    const isWorn = evaluations >= this.#limits.evaluations_per_instance_max;
    if (!isWorn && pages <= this.#worn_pages) return;
    this.#working = undefined;
    this.#log.debug('an instance was replaced', { evaluations, pages });
  }
}

/** `[]` is an undefined result and `[{result}]` a value; there is nothing else to expect. */
function soleResult(results: unknown): unknown {
  if (Array.isArray(results) && results.length === 0) return undefined;
  if (Array.isArray(results) && results.length === 1) {
    const [only] = results as [unknown];
    if (typeof only === 'object' && only !== null && Object.keys(only).join() === 'result') {
      return (only as { result: unknown }).result;
    }
  }
  throw new PortcullisError('ENGINE_ABORTED', 'the evaluation did not yield one result');
}

const CAUSE_LENGTH_TOLD = 256;

/**
 * What may be told of a cause: OPA aborts with a place in the policy, WebAssembly with a fault of
 * memory; a builtin's own message may quote its argument, so only its class is named.
 */
function named(cause: unknown): string {
  if (typeof cause === 'string') return cause.slice(0, CAUSE_LENGTH_TOLD);
  if (cause instanceof WebAssembly.RuntimeError || cause instanceof RangeError)
    return cause.message;
  return cause instanceof Error ? cause.name : typeof cause;
}
