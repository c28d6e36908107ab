/**
 * `subscriptions/listen` over HTTP: the entry of 2.x answers it before there is a server, so that
 * the filter is trimmed in front of the entry, and its stream is looked through behind it.
 */
import type { IdentitySource } from '../../identity/types.ts';
import { missingTasks, refusedRequest } from '../answers.ts';
import type { Shared } from '../connection.ts';
import { claimsOf, type Asker } from '../evaluation.ts';
import {
  changesFor,
  misnamesTasks,
  toListener,
  trimFilter,
  type Hall,
  type Listener,
} from '../listen.ts';
import { captureMessage, isObject, readMessage, type Request as RpcRequest } from '../message.ts';
import type { PolicyWatches } from '../policy_watch.ts';
import { tenantOf } from '../principal.ts';
import type { GuardParts } from '../settings.ts';
import { turnAway } from './http_body.ts';
import type { Given } from './http_types.ts';

/** What listening needs to know of a guard. */
export interface ListenParts extends Shared {
  parts: GuardParts;
}

/** Serves one subscription; `serve` gives a request to the entry. */
export async function listenOver(
  gate: ListenParts,
  request: Request,
  given: Given,
  message: RpcRequest,
  serve: (given: Given) => Promise<Response>,
): Promise<Response> {
  const { parts, tasks } = gate;
  const asker = askerOver(parts, request, given, message);
  const tenant = tenantOf(asker?.trusted);
  const hall: Hall = {
    ...{ parts, tasks },
    get watch() {
      return gate.watches.of(tenant);
    },
  };
  if (!hall.watch.ready && !(await hall.watch.ask())) {
    const request_id = parts.random.id();
    const refusal = { reason_code: 'POLICY_UNAVAILABLE', request_id };
    return turnAway(200, refusedRequest(message.id, refusal));
  }
  if (misnamesTasks(hall, message)) return turnAway(400, missingTasks(message.id));
  const { id, method, params } = message;
  const { signal } = request;
  const filter = await trimFilter(hall, asker, params['notifications'], signal);
  const notifications = isObject(params['notifications']) && { notifications: filter };
  const trimmed = {
    ...notifications,
    ...(isObject(params['_meta']) && { _meta: params['_meta'] }),
  };
  const parsedBody = { jsonrpc: '2.0', id, method, params: trimmed };
  const response = await serve({ authInfo: given.authInfo, parsedBody });
  const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!streams || response.body === null) return response;
  const heard = lookThrough(hall, { asker, filter, id, signal }, gate.watches);
  const body = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(heard);
  return new Response(body.pipeThrough(new TextEncoderStream()), response);
}

function askerOver(
  { identity, log }: { identity: IdentitySource; log: GuardParts['log'] },
  requestInfo: Request,
  { authInfo }: Given,
  message: RpcRequest,
): Asker | undefined {
  const captured = captureMessage({ ...message, kind: undefined, jsonrpc: '2.0' });
  if (captured.kind !== 'request') return undefined;
  const report = (reason: string) => log.warn('the caller is not proved', { reason });
  try {
    const trusted = identity({ authInfo, requestInfo }, report);
    const extra = { authInfo, request: requestInfo };
    return trusted && { trusted, request: captured, claims: claimsOf(captured, {}), extra };
  } catch (error) {
    log.error('the caller cannot be resolved', { error: error instanceof Error && error.name });
    return undefined;
  }
}

/**
 * Events of the entry, each said anew or left out; what keeps the stream alive passes. Another
 * policy may show other things: whoever it decides about is told, once its subscription is
 * acknowledged.
 */
function lookThrough(
  hall: Hall,
  listener: Listener,
  watches: PolicyWatches,
): TransformStream<string, string> {
  let rest = '';
  let begun = false;
  let unwatch = (): void => undefined;
  return new TransformStream({
    start(controller) {
      unwatch = watches.onChange((changed) => {
        if (changed !== hall.watch || !changed.ready || !begun) return;
        for (const told of changesFor(listener.filter, listener.id)) {
          controller.enqueue(eventOf(told));
        }
      });
    },
    async transform(chunk, controller) {
      const events = (rest + chunk).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const passed = await passing(hall, listener, event);
        if (passed === undefined) continue;
        controller.enqueue(passed);
        begun = true;
      }
    },
    flush: () => unwatch(),
    cancel: () => unwatch(),
  });
}

function eventOf(message: object): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

/** What is told instead of an event of the entry. */
async function passing(hall: Hall, listener: Listener, event: string): Promise<string | undefined> {
  if (event.startsWith(':')) return ': keepalive\n\n';
  const data = /^data: (.*)$/m.exec(event)?.[1] ?? '';
  const message = readMessage(JSON.parse(data));
  if (message.kind === 'answer') return message.id === listener.id ? `${event}\n\n` : undefined;
  if (message.kind !== 'notification') return undefined;
  const told = await toListener(hall, listener, message.method, message.params);
  return told && eventOf(told);
}
