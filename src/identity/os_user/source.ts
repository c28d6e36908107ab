/**
 * The user of the operating system who runs this process: the one that a server started over stdio
 * works for. The system says who it is; what kind of actor it is, nobody here knows.
 */
import { hostname, userInfo } from 'node:os';
import { Unproved, isName, refuseHttp, sourceOf } from '../proof.ts';
import type { IdentitySource, TrustedContext } from '../types.ts';

/** The part of `node:os` that is read. */
export interface OperatingSystem {
  /** The entry of the effective user id in the user database; throws where there is none. */
  userInfo(): { username: string };
  hostname(): string;
}

/** `os:<username>@<hostname>`, read at each request, because a process may change its user. */
export function fromOsUser(system: OperatingSystem = { userInfo, hostname }): IdentitySource {
  return sourceOf((extra) => {
    refuseHttp(extra);
    return localUser(system);
  });
}

function localUser(system: OperatingSystem): TrustedContext {
  const { username } = system.userInfo();
  const host = system.hostname();
  if (!isName(username) || !isName(host)) throw new Unproved('the local user or host has no name');
  const evidence = [{ source: 'os_user', claims: ['username', 'hostname'] }];
  return { subject: { type: 'identity', id: `os:${username}@${host}`, properties: { evidence } } };
}
