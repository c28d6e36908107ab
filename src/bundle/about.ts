/** Errors of a policy with the name of the file that they are about. */
import { PortcullisError, type ErrorCode } from '../errors.ts';

/** Those that speak of a file; what reads it need not know where it came from. */
const CODES: ReadonlySet<ErrorCode> = new Set([
  'BUNDLE_INVALID',
  'BUNDLE_REFUSED',
  'DATA_INVALID',
  'ENGINE_UNSUITED',
  'RBAC_INVALID',
]);

/** Runs a step on what lies at `path`, which an error of it then names. */
export async function about<T>(path: string, step: () => Promise<T> | T): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw named(path, error);
  }
}

/** The error with the path before its message, unless that names it already. */
export function named(path: string, error: unknown): unknown {
  if (!(error instanceof PortcullisError) || !CODES.has(error.code)) return error;
  const { code, message, pointer, cause } = error;
  if (message.includes(path)) return error;
  const detail = { ...(pointer !== undefined && { pointer }), cause };
  return new PortcullisError(code, `\`${path}\`: ${message}`, detail);
}
