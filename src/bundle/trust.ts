/**
 * A policy is trusted for where it lies (requirement E-24): whoever can write it, or put another in
 * its place, decides everything. It is looked at each time before it is read; between the two
 * nobody else can change what passed.
 */
import { stat } from 'node:fs/promises';
import { findPathFault } from '../contract/trusted_path.ts';
import { PortcullisError } from '../errors.ts';
import { listEntries, unreadable } from './files.ts';

/** Throws `POLICY_UNTRUSTED` where others can write what lies at a path, or in that folder. */
export async function requireTrusted(what: string, path: string, files_max: number): Promise<void> {
  requireTrustedPlace(what, path, await insideOf(path, files_max));
}

/** The same of the way to a path, and of `inside` it what is named. Throws `POLICY_UNTRUSTED`. */
export function requireTrustedPlace(
  what: string,
  path: string,
  inside: readonly string[] = [],
): void {
  let fault: string | undefined;
  try {
    fault = findPathFault(path, inside);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (fault !== undefined) {
    throw new PortcullisError('POLICY_UNTRUSTED', `the ${what} is not to be trusted: ${fault}`);
  }
}

async function insideOf(path: string, files_max: number): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (!found.isDirectory()) return [];
  const { files, folders } = await listEntries(path, files_max);
  return [...folders, ...files];
}
