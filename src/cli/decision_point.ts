/** The decision point that a configuration names: in another process, or in this one. */
import { existsSync } from 'node:fs';
import type { DecisionPoint } from '../contract/decision_point.ts';
import type { HeldToken } from '../contract/proof.ts';
import type { Configuration } from '../config/types.gen.ts';
import { embeddedDecisionPoint } from '../decision/embedded.ts';
import type { RemoteAddress } from '../decision/remote/exchange.ts';
import { keepingOutcomes } from '../outcomes/kept_decision_point.ts';
import { remoteDecisionPoint } from '../decision/remote/remote_decision_point.ts';
import { PortcullisError } from '../errors.ts';
import { SCOPES } from '../pdp/authentication.ts';
import { watchedTokens, type HeldTokens } from '../pdp/token_file.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK, RANDOM } from './ambient.ts';

/** A decision point, and when it is open; it may be asked before. */
export interface OpenedDecisionPoint {
  point: DecisionPoint;
  /** Rejects with the reason why it will never decide. */
  opened: Promise<void>;
}

/** Settings under another instance's name, for a process beside others of the same server. */
export type LoadInstance = (instance: string) => Configuration;

/** Throws `CONFIGURATION_INVALID` where the configuration names no decision point. */
export function openDecisionPoint(
  configuration: Configuration,
  loadInstance: LoadInstance,
  log: Logger,
): OpenedDecisionPoint {
  const { decision_point } = configuration;
  if (decision_point.embedded) return openEmbedded(configuration, loadInstance, log);
  return openRemote(configuration, log);
}

/** What is reported is kept on disk until the service recorded it. */
function openRemote(configuration: Configuration, log: Logger): OpenedDecisionPoint {
  const settings = { ...configuration.decision_point, address: addressOf(configuration, log) };
  const point = remoteDecisionPoint(settings, RANDOM, CLOCK);
  return openLater(log, async (stack) => {
    stack.defer(() => point.close());
    const { openOutcomes } = await import('./open_outcomes.ts');
    return keepingOutcomes(point, await openOutcomes(configuration, point, log, stack));
  });
}

function addressOf({ decision_point }: Configuration, log: Logger): RemoteAddress {
  const { socket, url, token_file, ca_file, cert_file, key_file } = decision_point;
  if (socket !== null) return { socket };
  if (url !== null) {
    const tls = { ca_file, cert_file, key_file };
    const named = Object.values(tls).some((file) => file !== null);
    const secured = named ? { url, tls } : { url };
    // A caller proves itself in one way.
    if (cert_file !== null) return secured;
    const tokens = openTokens(token_file, log);
    return { ...secured, token: () => firstToken(tokens, token_file) };
  }
  const message =
    'nobody is named who decides: set decision_point.socket, decision_point.url or ' +
    'decision_point.embedded, in portcullis.yaml or as PORTCULLIS_DECISION_POINT_…';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/decision_point' });
}

/** A guard never makes one: the service must know it. */
function openTokens(file: string, log: Logger): HeldTokens {
  if (existsSync(file)) return watchedTokens(file, CLOCK, log);
  const message =
    `the token file \`${file}\` does not exist: set decision_point.token_file to the one that ` +
    '`portcullis serve` names, or copy that one there (mode 600)';
  throw new PortcullisError('CONFIGURATION_INVALID', message, {
    pointer: '/decision_point/token_file',
  });
}

function firstToken(tokens: HeldTokens, file: string): HeldToken {
  const token = tokens.current().find(({ scopes }) => scopes.includes('decide'));
  if (token) return token;
  throw new PortcullisError(
    'CONFIGURATION_INVALID',
    `the token file \`${file}\` holds no token with the scope \`decide\``,
  );
}

/** Evidence and policy are opened meanwhile; who asks before waits for them. */
function openEmbedded(
  configuration: Configuration,
  loadInstance: LoadInstance,
  log: Logger,
): OpenedDecisionPoint {
  return openLater(log, (stack) => openFreeInstance(configuration, loadInstance, log, stack));
}

function openLater(
  log: Logger,
  open: (stack: AsyncDisposableStack) => Promise<DecisionPoint>,
): OpenedDecisionPoint {
  const stack = new AsyncDisposableStack();
  const opening = open(stack);
  const opened = opening.then(() => {});
  opened.catch((error: unknown) => {
    log.error('the decision point cannot be opened', { error });
    return stack.disposeAsync();
  });
  return { point: deferred(opening, stack), opened };
}

/**
 * A host may start several processes of one server, and evidence has one writer: where the usual
 * place is taken, the next one is looked for, unless somebody chose the place.
 */
async function openFreeInstance(
  configuration: Configuration,
  loadInstance: LoadInstance,
  log: Logger,
  stack: AsyncDisposableStack,
): Promise<DecisionPoint> {
  const { openDecisionCore } = await import('./compose.ts');
  const caller = { id: 'embedded', channel: 'embedded', scopes: new Set(SCOPES) } as const;
  let chosen = configuration;
  for (let number = 2; ; number += 1) {
    try {
      const { core } = await openDecisionCore(chosen, log, stack);
      return embeddedDecisionPoint(core, caller, configuration.pdp.body_bytes_max);
    } catch (error) {
      const next = loadInstance(`${configuration.instance}-${number}`);
      const isTaken = error instanceof PortcullisError && error.code === 'EVIDENCE_LOCKED';
      const isFixed = next.evidence.directory === chosen.evidence.directory;
      if (!isTaken || isFixed || number > configuration.instances_max) throw error;
      chosen = next;
    }
  }
}

function deferred(opening: Promise<DecisionPoint>, stack: AsyncDisposableStack): DecisionPoint {
  let opened: DecisionPoint | undefined;
  opening.then(
    (point) => (opened = point),
    () => undefined,
  );
  return {
    decide: async (request, options) => (await opening).decide(request, options),
    discover: async (request, options) => (await opening).discover(request, options),
    // At once, so that it is written before the answer leaves.
    report: (outcome) =>
      opened ? opened.report(outcome) : opening.then((point) => point.report(outcome)),
    turnedAway: async (report) => (await opening).turnedAway(report),
    describe: async (options) => (await opening).describe(options),
    watch(listener, tenant) {
      let stop: (() => void) | undefined;
      let stopped = false;
      opening.then(
        (point) => {
          if (!stopped) stop = point.watch(listener, tenant);
        },
        () => {},
      );
      return () => {
        stopped = true;
        stop?.();
      };
    },
    async close() {
      await opening.then(
        (point) => point.close(),
        () => {},
      );
      await stack.disposeAsync();
    },
  };
}
