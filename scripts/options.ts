/** What the scripts that people start have in common: options, and help that says what they do. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/**
 * The options of this process. `--help` prints the usage and ends it with 0, an unknown option
 * with 2.
 */
export function readOptions<O extends ParseArgsOptionsConfig>(usage: string, options: O) {
  const all = { ...options, help: { type: 'boolean', default: false } } as const;
  try {
    const read = parseArgs({ options: all, allowPositionals: true });
    if (!(read.values as { help?: boolean }).help) return read;
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  } catch (error) {
    return refuse(usage, error instanceof Error ? error.message : String(error));
  }
}

/** A number above 0 that an option takes. */
export function readPositive(usage: string, name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  return refuse(usage, `--${name} takes a number above 0`);
}

/** Ends the process with what is wrong and how it is used. */
export function refuse(usage: string, fault: string): never {
  process.stderr.write(`${fault}\n\n${usage}\n`);
  process.exit(2);
}
