/**
 * Whoever can open a Unix socket in a private folder: Node cannot read the credentials of a peer,
 * so the path is the identity, as between a guard and its decision point.
 */
import { lstatSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { findPathFault } from '../../contract/trusted_path.ts';
import { PortcullisError } from '../../errors.ts';
import { configuredContext, type LauncherSettings } from '../launcher/source.ts';
import { Unproved, sourceOf } from '../proof.ts';
import type { IdentitySource } from '../types.ts';

/** Who stands behind the path; its `subject.id` must be given. */
export interface SocketPathSettings extends LauncherSettings {
  /** The socket that counts, absolute. */
  path: string;
}

const OPEN_TO_OTHERS = 0o077;

/** Throws `CONFIGURATION_INVALID` where a setting cannot be used. */
export function fromSocketPath({ path, ...settings }: SocketPathSettings): IdentitySource {
  if (!isAbsolute(path) || !settings.subject.id) {
    const message =
      'a source of identity by socket takes an absolute path and a subject with an id';
    throw new PortcullisError('CONFIGURATION_INVALID', message);
  }
  const context = configuredContext(settings, 'socket_path');
  return sourceOf(({ connection }) => {
    if (connection?.socket_path === undefined) {
      throw new Unproved('the request did not come by a socket');
    }
    if (connection.socket_path !== path) throw new Unproved('the request came by another socket');
    // At each request: who could enter once may have left something open.
    requirePrivate(dirname(path));
    return context;
  });
}

function requirePrivate(folder: string): void {
  const { mode } = lstatSync(folder);
  if ((mode & OPEN_TO_OTHERS) !== 0 || findPathFault(folder) !== undefined) {
    throw new Unproved('the folder of the socket is open to others');
  }
}
