/** A decision point whose outcomes are kept until it has recorded them. */
import type { DecisionPoint } from '../contract/decision_point.ts';
import type { Outcomes } from './outcomes.ts';

/**
 * Nothing is decided while it is known that what would be done then cannot be kept: a call is
 * refused before it is executed, not after.
 */
export function keepingOutcomes(point: DecisionPoint, outcomes: Outcomes): DecisionPoint {
  return {
    async decide(request, options) {
      outcomes.requireRoom();
      const response = await point.decide(request, options);
      outcomes.hurry();
      return response;
    },
    discover: (request, options) => point.discover(request, options),
    report: (outcome) => outcomes.report(outcome),
    // Nothing was executed, and whoever is turned away again is told of again.
    turnedAway: (report) => point.turnedAway(report),
    describe: (options) => point.describe(options),
    watch: (listener, tenant) => point.watch(listener, tenant),
    async close() {
      await outcomes.close();
      await point.close();
    },
  };
}
