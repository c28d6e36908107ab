/** The limits of the outcomes that a guard keeps, and that a service remembers. */
import { OutcomeRecorder } from '../../../src/decision/outcomes.ts';
import { keeping, newDisk, open, reportOf } from '../../outcomes/fixture.ts';
import { CALLER } from '../../support/decisions.ts';
import { around, outcomeOf, TAKEN, type Probe, type TimeProbe } from './probe.ts';

/** The size is that of a line of the spool. */
export async function spoolBytes(): Promise<Probe> {
  const bytesOf = async (letters: number, bytes_max: number): Promise<[string, number]> => {
    const spool = await open(newDisk(), bytes_max);
    const report = reportOf(1, { masked: [`/${'x'.repeat(letters)}`] });
    return [await outcomeOf(() => spool.keep({ report })), spool.size_bytes];
  };
  const [, line_bytes] = await bytesOf(0, 65_536);
  return around(65_536, async (amount, bytes_max) => {
    return (await bytesOf(amount - line_bytes, bytes_max))[0];
  });
}

/** How many reports may come between two that are the same. */
export function memory(): Promise<Probe> {
  return around(3, async (amount, outcome_memory_records_max) => {
    const settings = { outcome_memory_records_max, lately: [] };
    const recorder = new OutcomeRecorder(() => Promise.resolve(), settings);
    for (let i = 0; i < amount; i += 1) await recorder.record(reportOf(i), CALLER);
    const { repeated } = await recorder.record(reportOf(0), CALLER);
    return repeated === 1 ? 'known' : 'forgotten';
  });
}

/** A decision point that answers at the end, or never. */
export async function drainTimeout(): Promise<TimeProbe> {
  const drained = async (answers: boolean, outcomes_drain_timeout_ms: number): Promise<string> => {
    const { outcomes, spool, service } = await keeping(newDisk(), { outcomes_drain_timeout_ms });
    if (!answers) service.answer = () => new Promise(() => undefined);
    await outcomes.report(reportOf(1));
    await outcomes.close();
    return spool.waiting === 0 ? TAKEN : 'left for the next start';
  };
  return { soon: await drained(true, 60_000), never: await drained(false, 30) };
}
