/**
 * What lies in a folder is trusted for its place, if nobody but we and root can put something there
 * or rename the folder within its parents. Node cannot read the credentials of a peer, so this is
 * what identifies the decision point behind a Unix socket to its callers.
 */
import { lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const ROOT = 0;

/** Why a folder is not to be trusted, and what mends it; undefined where it is. */
export function findFolderFault(folder: string): string | undefined {
  let place = realpathSync(folder);
  const fault = findPlaceFault(place, WRITABLE_BY_OTHERS);
  if (fault) return fault;
  while (place !== dirname(place)) {
    place = dirname(place);
    const parentFault = findParentFault(place);
    if (parentFault) return parentFault;
  }
  return undefined;
}

/** In a sticky parent such as /tmp nobody but the owner can rename the folder below it. */
function findParentFault(place: string): string | undefined {
  const { mode } = lstatSync(place);
  return findPlaceFault(place, (mode & STICKY) === 0 ? WRITABLE_BY_OTHERS : 0);
}

function findPlaceFault(place: string, forbidden: number): string | undefined {
  const { mode, uid } = lstatSync(place);
  if (uid !== ROOT && uid !== process.geteuid?.()) {
    return `\`${place}\` belongs to another user`;
  }
  if ((mode & forbidden) === 0) return undefined;
  return `\`${place}\` can be written by others (run: chmod go-w ${place})`;
}
