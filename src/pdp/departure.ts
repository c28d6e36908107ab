/** Whether somebody still waits for an answer. */
import type { Socket } from 'node:net';

const departures = new WeakMap<Socket, AbortSignal>();

/** Aborted when the connection has ended; there is one for all requests of a connection. */
export function departureOf(socket: Socket): AbortSignal {
  const known = departures.get(socket);
  if (known) return known;
  const departure = new AbortController();
  if (socket.destroyed) departure.abort();
  else socket.once('close', () => departure.abort());
  departures.set(socket, departure.signal);
  return departure.signal;
}
