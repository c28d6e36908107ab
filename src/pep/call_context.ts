/**
 * What a handler may know of the call that it serves. The context follows the handler through its
 * promises, on both SDK lines, since both call it within the delivery of the message.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { EvaluationResponse, Resource } from '../contract/types.gen.ts';
import { isObject, type Id } from './message.ts';

/** What `decisionOf` gives to a handler. */
export interface CallDecision {
  /** The decision under which the handler runs. */
  readonly decision: EvaluationResponse;
  /**
   * Whether the same caller may also use another capability now. False where there is no decision,
   * or one with obligations, which only the guard can fulfil.
   */
  check(
    type: Resource['type'],
    id: string,
    values?: Readonly<Record<string, unknown>>,
  ): Promise<boolean>;
}

export interface CallContext extends CallDecision {
  /** The connection that the call came by. */
  readonly connection: object;
  /** As the server knows it. */
  readonly id: Id;
  /** Nothing about this call may be told beside its masked result. */
  readonly masked: boolean;
}

const storage = new AsyncLocalStorage<CallContext | undefined>();

/** Delivers a message so that its handler runs in the context; undefined = in none. */
export function deliverIn(context: CallContext | undefined, deliver: () => void): void {
  storage.run(context, deliver);
}

/** The call that is being served where this runs, if it came by that connection. */
export function servedCall(connection: object): CallContext | undefined {
  const context = storage.getStore();
  return context?.connection === connection ? context : undefined;
}

/**
 * The decision under which a tool handler runs. `extra` is what the SDK gives the handler
 * beside the arguments (`extra` in 1.x, `ctx` in 2.x). Undefined outside a guarded call.
 */
export function decisionOf(extra: unknown): CallDecision | undefined {
  const context = storage.getStore();
  if (context === undefined || context.id !== requestIdOf(extra)) return undefined;
  const { decision, check } = context;
  return { decision, check };
}

function requestIdOf(extra: unknown): unknown {
  if (!isObject(extra)) return undefined;
  const { requestId, mcpReq } = extra;
  return requestId ?? (isObject(mcpReq) ? mcpReq['id'] : undefined);
}
