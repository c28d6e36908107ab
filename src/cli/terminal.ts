/** Where a command prints. Results go to standard output, all else to standard error. */
import type { Readable } from 'node:stream';
import { styleText } from 'node:util';
import { explain, PortcullisError, type ErrorCode } from '../errors.ts';

export interface Terminal {
  /** Read by `wrap` only. */
  stdin?: Readable;
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Colours only where a person looks; `NO_COLOR` and `FORCE_COLOR` are honoured by Node. */
export function styled(stream: NodeJS.WritableStream, style: Style, text: string): string {
  return styleText(style, text, { stream });
}

/** Who reads the output may stop, as `head` does: what is left of it is dropped without a word. */
export function tolerateClosed({ stdout, stderr }: Terminal): void {
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      left.add(stream);
    });
  }
}

/** Streams that nobody reads any more; of its own Node forgets that standard output is one. */
const left = new WeakSet<NodeJS.WritableStream>();

/**
 * Writes a line when there is room for it: the reader sets the pace. False once nobody reads what
 * is written.
 */
export async function writeLine(stream: NodeJS.WritableStream, line: string): Promise<boolean> {
  if (left.has(stream)) return false;
  if (!stream.write(`${line}\n`)) {
    await new Promise<void>((resolve) => {
      const go = (): void => {
        for (const name of ['drain', 'error', 'close']) stream.removeListener(name, go);
        resolve();
      };
      for (const name of ['drain', 'error', 'close']) stream.once(name, go);
    });
  }
  return !left.has(stream);
}

export function print({ stdout }: Terminal, text: string): void {
  stdout.write(`${text}\n`);
}

/** Says what takes longer than a moment. */
export function printProgress({ stderr }: Terminal, text: string): void {
  stderr.write(`${styled(stderr, 'dim', text)}\n`);
}

export function printJson(terminal: Terminal, value: unknown): void {
  print(terminal, JSON.stringify(value, undefined, 2));
}

/** The code and the message of an error, and what to do about it. */
export function printError({ stderr }: Terminal, error: unknown): void {
  const known = asKnown(error);
  stderr.write(`${styled(stderr, 'red', known.code)}: ${explain(known)}\n`);
  if (known.code === 'INTERNAL' && error instanceof Error) stderr.write(`${error.stack}\n`);
}

/** 0 is done; 1 the answer is no; 2 usage or configuration; 3 something is out of reach. */
export const EXIT_CODES: Readonly<Record<ErrorCode, 1 | 2 | 3>> = {
  ARGUMENT_INVALID: 2,
  BACKEND_ANSWER_INVALID: 3,
  BACKEND_UNREACHABLE: 3,
  BUNDLE_INVALID: 2,
  BUNDLE_REFUSED: 2,
  CONFIGURATION_INVALID: 2,
  DATA_INVALID: 2,
  DECISION_POINT_UNPROVED: 3,
  DECISION_POINT_UNREACHABLE: 3,
  ENGINE_ABORTED: 3,
  ENGINE_UNSUITED: 2,
  EVIDENCE_DAMAGED: 3,
  EVIDENCE_LOCKED: 3,
  EVIDENCE_UNWRITABLE: 3,
  EXPORT_UNUSABLE: 3,
  GUARD_MISUSED: 2,
  INTERNAL: 3,
  LISTEN_FAILED: 3,
  OVERLOADED: 3,
  OUTCOMES_UNWRITABLE: 3,
  OUTCOME_REFUSED: 3,
  POLICY_ABSENT: 3,
  POLICY_UNTRUSTED: 2,
  RBAC_INVALID: 2,
  REQUEST_INVALID: 2,
  REQUEST_TOO_LARGE: 2,
  RULES_REFUSED: 1,
  RUNTIME_UNSUITED: 2,
  SIGNATURE_REFUSED: 3,
  TESTS_FAILED: 1,
  TOOLCHAIN_ABSENT: 3,
  UNAUTHENTICATED: 3,
  UPSTREAM_FAILED: 3,
  WIRE_INVALID: 2,
};

export function exitCodeOf(error: unknown): number {
  return EXIT_CODES[asKnown(error).code];
}

function asKnown(error: unknown): PortcullisError {
  if (error instanceof PortcullisError) return error;
  const message = 'something unexpected happened';
  return new PortcullisError('INTERNAL', message, { cause: error });
}
