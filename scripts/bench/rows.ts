/** The rows of the bench, in the order of the goals. */
import { embeddedDecision } from './rows/embedded_decision.ts';
import { guardedCall } from './rows/guarded_call.ts';
import { httpDecision, httpDecisionOnSlowDisk } from './rows/http_decision.ts';
import type { Bench, Row } from './rows/row.ts';
import { rulePackages } from './rows/rule_packages.ts';

/** Measures the figures of one goal. */
type Measure = (bench: Bench) => Promise<Row[]>;

export const ROWS = {
  http: httpDecision,
  slow_disk: httpDecisionOnSlowDisk,
  embedded: embeddedDecision,
  packages: rulePackages,
  guarded: guardedCall,
} as const satisfies Record<string, Measure>;
