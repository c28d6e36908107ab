/**
 * A process of its own that evaluates inputs which grow, round after round:
 * `node --expose-gc engine_process.ts <module> <rounds>`. Each round goes from 1 KiB to 2 MiB, far
 * enough for an instance to be worn. Prints, as JSON, the resident memory after each round and what
 * the engine said of each instance that it replaced.
 */
import { readFileSync } from 'node:fs';
import { loadEngine } from '../../src/engine/engine.ts';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';

const [module = '', rounds = '0'] = process.argv.slice(2);
const replaced: (LogFields | undefined)[] = [];
const nothing = (): void => {};
const log: Logger = {
  debug: (_message, fields) => replaced.push(fields),
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => log,
};

const engine = await loadEngine({
  wasm: readFileSync(module),
  data: {},
  limits: {
    input_bytes_max: 4_194_304,
    evaluations_per_instance_max: 1_000_000,
    memory_pages_max: 256,
  },
  log,
});
const rss_bytes: number[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  for (let size = 1024; size <= 2_097_152; size *= 2) {
    const text = 'x'.repeat(size);
    if (engine.evaluate('small/echo', JSON.stringify({ text })) !== text) process.exitCode = 1;
  }
  // What is left then is held by somebody.
  globalThis.gc?.();
  rss_bytes.push(process.memoryUsage.rss());
}
console.log(JSON.stringify({ rss_bytes, replaced }));
