/**
 * What lies at a path is trusted for its place, if nobody but we and root can write it, or put
 * something else there. Node cannot read the credentials of a peer, so this is also what identifies
 * the decision point behind a Unix socket to its callers.
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const ROOT = 0;
/** As many as Linux follows. */
const LINKS_MAX = 40;

/**
 * Why the file or folder at a path is not to be trusted, and what mends it; undefined where it is.
 * `inside` are paths in that folder that must be trusted too. Throws the errors of `node:fs`.
 */
export function findPathFault(path: string, inside: readonly string[] = []): string | undefined {
  const walked = walk(path);
  const all = [...walked, ...inside.map((inner) => join(path, inner))];
  const writable: string[] = [];
  for (const [at, place] of all.entries()) {
    const { mode, uid } = lstatSync(place);
    if (uid !== ROOT && uid !== process.geteuid?.()) return `\`${place}\` belongs to another user`;
    if (isWritable(mode, at < walked.length - 1)) writable.push(place);
  }
  if (writable.length === 0) return undefined;
  const names = writable.map((place) => `\`${place}\``).join(', ');
  const mend = ['chmod go-w', ...writable.map(shellWord)].join(' ');
  return `${names} can be written by others (run: ${mend})`;
}

/**
 * What the way to a path passes: the root, and each folder, link and file after it, as the kernel
 * looks them up. A link counts with the folder in which it stands, for whoever can replace it there
 * chooses what it names.
 */
function walk(path: string): string[] {
  const passed = new Set<string>();
  let place = '/';
  let ahead = resolve(path).split('/');
  for (let links = 0; ;) {
    const name = ahead.shift();
    if (name === undefined) break;
    // A step up leads where the way has passed already.
    const next = join(place, name);
    passed.add(next);
    if (lstatSync(next).isSymbolicLink()) {
      links += 1;
      if (links > LINKS_MAX) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
      const target = readlinkSync(next);
      if (target.startsWith('/')) place = '/';
      ahead = [...target.split('/'), ...ahead];
    } else place = next;
  }
  // The path itself comes last, also where its last step was a link up.
  passed.delete(place);
  return [...passed, place];
}

/**
 * Permissions of a link mean nothing. On the way, others may write a sticky folder such as /tmp:
 * nobody but the owner can rename or replace what stands in it.
 */
function isWritable(mode: number, isOnTheWay: boolean): boolean {
  const isLink = (mode & 0o170000) === 0o120000;
  if (isLink || (mode & WRITABLE_BY_OTHERS) === 0) return false;
  return !(isOnTheWay && (mode & STICKY) !== 0);
}

function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
