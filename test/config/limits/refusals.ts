/** The limits of what a guard remembers of its refusals. */
import { Refusals } from '../../../src/pep/refusals.ts';
import { KEY, questionOf, REFUSED } from '../../pep/support/refusals.ts';
import { around, type Probe } from './probe.ts';

function found(refusals: Refusals, id: string): string {
  return refusals.recall(questionOf(id)) ? 'from memory' : 'decided';
}

/** The same question, so much later. */
export function time(): Promise<Probe> {
  return around(1000, (amount, refusal_memory_ms) => {
    let now_ms = 0;
    const limits = { refusal_memory_ms, refusals_max: 10 };
    const refusals = new Refusals(limits, { now_ms: () => now_ms }, KEY);
    refusals.keep(questionOf('one'), REFUSED, () => undefined);
    now_ms = amount;
    return found(refusals, 'one');
  });
}

/** The first of so many that were refused. */
export function all(): Promise<Probe> {
  return around(3, (amount, refusals_max) => {
    const refusals = new Refusals(
      { refusal_memory_ms: 1000, refusals_max },
      { now_ms: () => 0 },
      KEY,
    );
    for (let i = 0; i < amount; i += 1) {
      refusals.keep(questionOf(String(i)), REFUSED, () => undefined);
    }
    return found(refusals, '0');
  });
}
