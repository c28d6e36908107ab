/** A second question inside a handler: may the same caller use another capability as well? */
import type { Resource } from '../contract/types.gen.ts';
import type { CallDecision } from './call_context.ts';
import { decide } from './decide.ts';
import { resourceNamed } from './evaluation.ts';
import type { Exchange } from './exchange.ts';
import { find } from './find.ts';
import { askerOf, type Gate } from './gate.ts';
import { ALL_KINDS } from './kinds.ts';
import { captureJson } from './message.ts';
import type { KnownMethod } from './methods.ts';

/** The method that stands for using a thing of each type; a type without one is never allowed. */
const USES: Readonly<Partial<Record<Resource['type'], KnownMethod>>> = {
  tool: 'tools/call',
  resource: 'resources/read',
  resource_template: 'resources/read',
  prompt: 'prompts/get',
};

export function checkOf(gate: Gate, exchange: Exchange): CallDecision['check'] {
  return async (type, id, values = {}) => {
    const method = USES[type];
    const asker = askerOf(exchange);
    const args = captureJson(values);
    if (method === undefined || asker === undefined || args === undefined) return false;
    const resource = await resourceOf(gate, exchange, type, id);
    const { signal } = exchange;
    const verdict = await decide(gate.parts, gate.watch, {
      asker,
      method,
      resource,
      arguments: args,
      signal,
    });
    return verdict.outcome === 'allow' && verdict.answer.context.obligations.length === 0;
  };
}

async function resourceOf(
  gate: Gate,
  exchange: Exchange,
  type: Resource['type'],
  id: string,
): Promise<Resource> {
  const kind = ALL_KINDS.find((one) => one === type);
  const found = kind && (await find(gate, exchange, kind, id));
  return resourceNamed(gate.parts.settings.server, type, id, found?.item);
}
