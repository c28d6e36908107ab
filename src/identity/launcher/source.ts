/**
 * What the launcher of a stdio server configured. Whoever may start the process with this
 * configuration may act as its subject (MCP, authorization: a stdio server takes credentials from
 * its environment), so a request that came over HTTP proves nobody here.
 */
import type { ActorType, Subject } from '../../contract/types.gen.ts';
import { PortcullisError } from '../../errors.ts';
import { fromOsUser } from '../os_user/source.ts';
import { Unproved, checked, present, refuseHttp, sourceOf } from '../proof.ts';
import type { IdentitySource, TrustedContext } from '../types.ts';

/** The settings `guard.subject`, `guard.agent`, `guard.surface` and `guard.environment`. */
export interface LauncherSettings {
  subject: {
    /** Principal; null or absent: the local user of the operating system. */
    id?: string | null;
    actor_type?: ActorType | null;
    groups?: string[] | null;
    tenant?: string | null;
  };
  /** The agent that this server is started for. */
  agent?: { id?: string | null };
  surface?: string | null;
  environment?: { deployment?: string | null; risk?: string | null };
}

/** Throws `CONFIGURATION_INVALID` where a setting breaks the schema of the evaluation request. */
export function fromLauncher(
  settings: LauncherSettings,
  os_user: IdentitySource = fromOsUser(),
): IdentitySource {
  const configured = configuredContext(settings);
  const local = settings.subject.id === null || settings.subject.id === undefined;
  return sourceOf((extra) => {
    refuseHttp(extra);
    return local ? withLocalUser(configured, os_user(extra)) : configured;
  });
}

/** The context that the settings state; one without an id holds the place of the local user. */
export function configuredContext(
  { subject, agent, surface, environment }: LauncherSettings,
  source = 'launcher',
): TrustedContext {
  const proved = present(agent ?? {});
  const place = present(environment ?? {});
  try {
    return checked({
      subject: configuredSubject(subject, source),
      ...(proved.id !== undefined && { agent: { id: proved.id, verified: true } }),
      ...present({ surface }),
      ...(Object.keys(place).length > 0 && { environment: place }),
    });
  } catch (cause) {
    const reason = cause instanceof Unproved ? cause.message : 'the settings cannot be read';
    throw new PortcullisError('CONFIGURATION_INVALID', `guard: ${reason}`, { cause });
  }
}

function configuredSubject(
  { id, ...attributes }: LauncherSettings['subject'],
  source: string,
): Subject {
  const stated = present(attributes);
  const claims = Object.keys(present({ id, ...stated }));
  const evidence = claims.length === 0 ? [] : [{ source, claims }];
  return { type: 'identity', id: id ?? 'os:', properties: { ...stated, evidence } };
}

function withLocalUser(
  configured: TrustedContext,
  local: TrustedContext | undefined,
): TrustedContext {
  if (local === undefined) throw new Unproved('the operating system names no local user');
  const evidence = [local, configured].flatMap(({ subject }) => subject.properties?.evidence ?? []);
  const properties = { ...configured.subject.properties, evidence };
  return { ...configured, subject: { ...local.subject, properties } };
}
