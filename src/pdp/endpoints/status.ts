/**
 * `GET /v1/status`: what a PEP must know before it asks; also answered while nothing is ready. With
 * `?tenant=`, of the policy that decides for that tenant.
 */
import { refusal, type Answer, type Exchange } from '../exchange.ts';

export function answerStatus({ core, query, caller }: Exchange): Answer {
  const [tenant, ...more] = query.getAll('tenant');
  if (more.length > 0) return refusal(400, 'WIRE_INVALID', 'the query names two tenants');
  return { status: 200, body: core.status(tenant, caller) };
}
