/**
 * The folder of one tenant: its name says whose it is, and what lies in it is the tenant's policy.
 * A name of a request is never made into a path: the folders are listed, and their names read.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, unreadable } from './files.ts';
import type { PolicyPlace } from './policy_files.ts';

/** As evaluation_request.schema.json has it for `subject.properties.tenant`. */
const TENANT_CHARACTERS_MAX = 256;

/**
 * The tenant that the name of a folder stands for: what is no letter, digit, `-`, `_`, `~` or `.`
 * is percent-encoded as UTF-8 in capital digits (RFC 3986, section 2), and a leading dot as well.
 * Undefined for every other spelling, so that two folders never mean one tenant.
 */
export function tenantOf(name: string): string | undefined {
  try {
    const tenant = decodeURIComponent(name);
    const isPlain = tenant.length <= TENANT_CHARACTERS_MAX && !/\p{Cc}/u.test(tenant);
    return isPlain && folderNameOf(tenant) === name ? tenant : undefined;
  } catch {
    return undefined;
  }
}

/** The name of a tenant's folder. Throws a `URIError` for text that is not well-formed. */
export function folderNameOf(tenant: string): string {
  const escape = (character: string): string =>
    `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(tenant).replace(/[!'()*]|^\./g, escape);
}

const BUNDLES = ['bundle.tar.gz', 'bundle'];
const DATA = ['data.yaml', 'data'];

/** What lies in a tenant's folder. Rejects with `BUNDLE_INVALID` where it has two meanings. */
export async function locatePolicy(folder: string): Promise<PolicyPlace> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
  const seen = names.filter((name) => !name.startsWith('.'));
  const stray = seen.find((name) => ![...BUNDLES, ...DATA].includes(name));
  if (stray !== undefined) throw invalid(`\`${stray}\` in \`${folder}\` is no part of a policy`);
  const bundle = onlyOne(folder, seen, BUNDLES);
  if (bundle === undefined) throw invalid(`\`${folder}\` holds no ${BUNDLES.join(' and no ')}`);
  const data = onlyOne(folder, seen, DATA);
  return { bundle: join(folder, bundle), data: data === undefined ? null : join(folder, data) };
}

function onlyOne(folder: string, seen: string[], names: readonly string[]): string | undefined {
  const found = names.filter((name) => seen.includes(name));
  if (found.length > 1) throw invalid(`\`${folder}\` holds both ${found.join(' and ')}`);
  return found[0];
}
