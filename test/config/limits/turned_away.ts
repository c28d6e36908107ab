/** The limit of what a guard tells of callers that it turns away. */
import { TurnedAway } from '../../../src/pep/turned_away.ts';
import { testParts } from '../../pep/support/parts.ts';
import { around, type Probe } from './probe.ts';

/** The same reason, so much later. */
export function interval(): Promise<Probe> {
  return around(1000, async (amount, turned_away_interval_ms) => {
    let now_ms = 0;
    const parts = testParts({}, { turned_away_interval_ms });
    const turnedAway = new TurnedAway({ ...parts, clock: { now_ms: () => now_ms } });
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    now_ms = amount;
    turnedAway.count('jwt', 'TOKEN_EXPIRED');
    await Promise.resolve();
    return parts.decisionPoint.turned_away.length === 1 ? 'counted' : 'told';
  });
}
