/** Why a static file says what it says, for operators. */
import type { Examined, Odd } from './examine.ts';

/**
 * Which grants decide and why the others do not: ``sre/2 decides (deny); sre/1: another action``.
 * It names what stands in the file, and nothing of the request.
 */
export function explainGrants(examined: Examined | Odd): string {
  if ('fault' in examined) return examined.fault;
  const { why, outcome, grants, findings } = examined;
  if (why !== undefined) return why;
  if (findings.length === 0) return 'no grant speaks of this capability';
  const deciding = grants.map(({ id }) => `${id} decides (${outcome})`);
  const others = findings.flatMap(({ grant, standing }) => {
    if (grants.includes(grant)) return standing === 'holds' ? [] : [`${grant.id}: ${standing}`];
    const reason = standing === 'holds' ? `outranked, ${grant.outcome}` : standing;
    return [`${grant.id}: ${reason}`];
  });
  return [...deciding, ...others].join('; ');
}
