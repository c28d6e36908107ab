/**
 * Makes folders that only this user may enter. The recursive `mkdir` of Node is not used: where a
 * parent says of a missing child that it cannot be made because it is missing, as /proc does, it
 * tries again for ever (Node 24).
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and its missing parents; returns those that it made, the outermost first. One
 * that another process makes meanwhile is as good. Throws the errors of `node:fs`, whose `path` is
 * the place that could not be made.
 */
export function makePrivateFolder(folder: string): string[] {
  const whole = resolve(folder);
  const missing = [whole];
  for (let place = dirname(whole); !exists(place); place = dirname(place)) missing.unshift(place);
  return missing.filter(makeOne);
}

/** Whether it was this call that made it. */
function makeOne(place: string): boolean {
  try {
    mkdirSync(place, { mode: 0o700 });
    return true;
  } catch (error) {
    const isThere = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
    if (!isThere) throw error;
    return false;
  }
}

function exists(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false }) !== undefined;
}
