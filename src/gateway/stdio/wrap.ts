/** Runs a server as a child of this process, behind a guard, for as long as its host wants it. */
import type { Writable } from 'node:stream';
import type { Connection } from '../../pep/connection.ts';
import type { Wire } from '../../pep/ends.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Child, within, type Command } from './child.ts';
import { Relay, type Host, type RelaySettings } from './relay.ts';
import { passStderr } from './stderr.ts';

export interface WrapSettings extends RelaySettings {
  /** How long what was asked may take when the host has ended its input. */
  drain_timeout_ms: number;
  /** How long what is asked to end may take before it is made to. */
  stop_grace_ms: number;
}

export interface WrapParts {
  /** Opens the guard of the connection. */
  open: (wire: Wire) => Connection;
  settings: WrapSettings;
  log: Logger;
  /** Where the server's own standard error goes, and under which name. */
  stderr: Writable;
  name: string;
  /** Resolves when the wrapper is told to stop. */
  stopped: Promise<unknown>;
}

/** Who ended it; the server with the words for how. */
export type Ending = { by: 'host' } | { by: 'signal' } | { by: 'server'; how: string };

/**
 * Resolves when the host, a signal or the server ended it; then no process of the server is left.
 * Rejects with UPSTREAM_FAILED where the server cannot be started.
 */
export async function wrapStdio(host: Host, command: Command, parts: WrapParts): Promise<Ending> {
  const { settings, log, stderr, name } = parts;
  const { stop_grace_ms: grace_ms } = settings;
  const child = await Child.start(command);
  try {
    passStderr(child.stderr, stderr, name).catch(() => undefined);
    const relay = new Relay(host, child, parts.open, settings, log);
    const by = await ended(host, child, relay, parts);
    // What the server said before its end is still told.
    if (by === 'server') await within(settled(relay.fromServer, by), grace_ms);
    const reason = by === 'server' ? 'The server ended' : 'The connection ended';
    await within(relay.close(reason), grace_ms);
    await (by === 'host' ? child.stop(grace_ms) : child.kill(grace_ms));
    return by === 'server' ? { by, how: await child.exited } : { by };
  } finally {
    host.stdin.destroy();
  }
}

/** What a host asked before it ended its input is still answered. */
async function ended(
  host: Host,
  child: Child,
  relay: Relay,
  { settings, stopped, log }: WrapParts,
): Promise<Ending['by']> {
  const gone = [
    settled(left(host.stdout), 'host' as const),
    settled(stopped, 'signal' as const),
    settled(child.exited, 'server' as const),
    settled(child.deaf(), 'server' as const),
    settled(relay.fromServer, 'server' as const),
  ];
  const by = await Promise.race([...gone, settled(relay.fromHost, undefined)]);
  if (by !== undefined) return by;
  log.info('the host ended its input');
  const answered = within(relay.idle(), settings.drain_timeout_ms);
  return Promise.race([...gone, settled(answered, 'host' as const)]);
}

/** Resolves when nobody reads a stream any more. */
function left(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', resolve).once('error', () => resolve());
  });
}

/** Streams that break have ended too. */
function settled<T>(work: Promise<unknown>, outcome: T): Promise<T> {
  return work.then(
    () => outcome,
    () => outcome,
  );
}
