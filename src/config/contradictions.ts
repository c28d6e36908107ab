/** Settings that cannot stand together. Each row says when, and names them. */
import type { Configuration } from './types.gen.ts';

export interface Contradiction {
  /** The settings, which the message names with their places. */
  names: readonly string[];
  /** What is wrong with them. */
  fault: string;
  holds(configuration: Configuration): boolean;
}

export const CONTRADICTIONS: readonly Contradiction[] = [
  {
    names: ['decision_point.socket', 'decision_point.url'],
    fault: 'cannot both be given',
    holds: ({ decision_point: at }) => at.socket !== null && at.url !== null,
  },
  {
    names: ['decision_point.socket', 'decision_point.embedded'],
    fault: 'cannot both be given',
    holds: ({ decision_point: at }) => at.socket !== null && at.embedded,
  },
  {
    names: ['decision_point.url', 'decision_point.embedded'],
    fault: 'cannot both be given',
    holds: ({ decision_point: at }) => at.url !== null && at.embedded,
  },
  {
    names: ['decision_point.embedded', 'policy.bundle'],
    fault: 'must be given together',
    holds: ({ decision_point, policy }) => decision_point.embedded && policy.bundle === null,
  },
  {
    names: ['policy.data', 'policy.bundle'],
    fault: 'must be given together',
    holds: ({ policy }) => policy.data !== null && policy.bundle === null,
  },
  {
    names: ['policy.reload_interval_ms', 'policy.age_seconds_max'],
    fault: 'contradict: a policy would be too old before it is read again',
    holds: ({ policy }) =>
      policy.age_seconds_max > 0 && policy.reload_interval_ms >= policy.age_seconds_max * 1000,
  },
  {
    names: ['evidence.record_bytes_max', 'evidence.segment_bytes_max'],
    fault: 'contradict: a file must be able to hold a record',
    holds: ({ evidence }) => evidence.record_bytes_max > evidence.segment_bytes_max,
  },
];
