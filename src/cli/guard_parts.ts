/** What a guard works with, put together from a configuration. */
import type { Configuration } from '../config/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { fromAuthInfo } from '../identity/auth_info/source.ts';
import type { Authenticator } from '../identity/authenticator.ts';
import { fromJwt } from '../identity/jwt/authenticator.ts';
import { fromLauncher } from '../identity/launcher/source.ts';
import type { IdentitySource, TrustedContext } from '../identity/types.ts';
import type { GuardParts, GuardSettings } from '../pep/settings.ts';
import { TurnedAway } from '../pep/turned_away.ts';
import { createLogger, type LogStream } from '../telemetry/create_logger.ts';
import { CLOCK, RANDOM } from './ambient.ts';
import { openDecisionPoint, type LoadInstance } from './decision_point.ts';
import { openDigestKey } from './digest_key.ts';

/** No server has this name; it tells that `guard.server` was not set. */
export const UNNAMED = 'unnamed';

export interface OpenedParts {
  configuration: Configuration;
  parts: GuardParts;
  /** Rejects with the reason why nothing will ever be decided. */
  opened: Promise<void>;
  /** Tells what is still to be told, and closes the decision point. */
  close(): Promise<void>;
}

/** Throws `CONFIGURATION_INVALID`, naming what to set. */
export function openGuardParts(load: LoadInstance, stderr?: LogStream): OpenedParts {
  const configuration = load('main');
  requireName(configuration);
  const log = createLogger(configuration.log, stderr);
  const { point, opened } = openDecisionPoint(configuration, load, log);
  const authenticator = authenticatorOf(configuration);
  const asking = { decisionPoint: point, settings: settingsOf(configuration), log, clock: CLOCK };
  const turnedAway = new TurnedAway(asking, configuration.guard.surface ?? undefined);
  const parts = {
    ...asking,
    identity: identityOf(configuration, authenticator),
    authenticator,
    turnedAway,
    random: RANDOM,
    digestKey: openDigestKey(configuration.guard.digest_key_file),
  };
  const close = async (): Promise<void> => {
    await turnedAway.close();
    await point.close();
  };
  return { configuration, parts, opened, close };
}

function requireName({ guard }: Configuration): void {
  if (guard.server !== UNNAMED) return;
  const message =
    'the server has no name in the policy: set guard.server, in portcullis.yaml or as ' +
    'PORTCULLIS_GUARD_SERVER, to the name that its capabilities have in the grants';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/guard/server' });
}

function settingsOf({ guard, decision_point }: Configuration): GuardSettings {
  return { ...guard, decision_timeout_ms: decision_point.timeout_ms };
}

/** Where an issuer is named, its tokens prove who asks over HTTP; else the host has seen to it. */
function authenticatorOf({ guard }: Configuration): Authenticator | undefined {
  const { jwt, resource, ...mapping } = guard.identity;
  const { issuer } = jwt;
  const { url } = resource;
  if (issuer === null || url === null) return undefined;
  return fromJwt({ ...jwt, issuer, resource: { ...resource, url } }, mapping, CLOCK);
}

/** Over HTTP the host's own authentication proves who asks, on stdio the launcher's settings do. */
function identityOf(
  configuration: Configuration,
  authenticator: Authenticator | undefined,
): IdentitySource {
  const { guard } = configuration;
  const overStdio = fromLauncher(guard);
  const { jwt: _jwt, resource: _resource, ...mapping } = guard.identity;
  const overHttp = placed(authenticator?.identity ?? fromAuthInfo(mapping), configuration);
  return (extra, report) => {
    const isHttp = extra.authInfo !== undefined || extra.requestInfo !== undefined;
    return (isHttp ? overHttp : overStdio)(extra, report);
  };
}

/** Adds where the server stands, which no credential says. */
export function placed(source: IdentitySource, { guard }: Configuration): IdentitySource {
  const environment = Object.fromEntries(
    Object.entries(guard.environment).filter(([, value]) => value !== null),
  );
  const place = {
    ...(Object.keys(environment).length > 0 && { environment }),
    ...(guard.surface !== null && { surface: guard.surface }),
  };
  return (extra, report) => {
    const context = source(extra, report);
    return context && Object.freeze<TrustedContext>({ ...place, ...context });
  };
}
