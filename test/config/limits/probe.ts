/** What a limit does to an amount just below, at and just above it. */
import { PortcullisError } from '../../../src/errors.ts';

export interface Probe {
  below: string;
  at: string;
  above: string;
}

/** A limit of time ends what never comes, and what comes soon it leaves alone. */
export interface TimeProbe {
  soon: string;
  never: string;
}

/** Tries one limit with three amounts, one apart. */
export async function around(
  limit: number,
  run: (amount: number, limit: number) => string | Promise<string>,
): Promise<Probe> {
  return {
    below: await run(limit - 1, limit),
    at: await run(limit, limit),
    above: await run(limit + 1, limit),
  };
}

/** `taken`, or the code of the refusal. */
export async function outcomeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'taken';
  } catch (error) {
    if (error instanceof PortcullisError) return error.code;
    throw error;
  }
}

export const TAKEN = 'taken';
