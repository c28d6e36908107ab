/** Tries an attack on guarded servers, and on ones where it must succeed, so that it can. */
import { expect, test } from '@jest/globals';
import { CANARY } from './bank.ts';
import type { Wire } from './doors.ts';
import type { Open, Target } from './targets.ts';

export type Attack<W extends Wire = Wire> = (target: Target<W>) => Promise<unknown>;

interface Tried<W extends Wire> {
  /** Where it must fail. */
  held: Readonly<Record<string, Open<W>>>;
  /** Where it must succeed, so that it is one: guards that are made in the way of others. */
  breached: Readonly<Record<string, Open<W>>>;
  /** Nothing is lawful there: whatever is done is a success. */
  lawless?: boolean;
}

/** `dead`: not even a lawful call was served, so that nothing was tried. */
type Outcome = 'held' | 'breached' | `dead: ${string}`;

function judge({ bank, heard }: Target, lawless: boolean): Outcome {
  const done = lawless ? bank.done : bank.forbidden;
  if (done.length > 0 || heard().includes(CANARY)) return 'breached';
  const alive = lawless ? heard().includes('barrier-1') : bank.done.includes('balance');
  return alive ? 'held' : `dead: ${heard()}`;
}

/** The attack is held at the guarded doors, and breaches those that others made. */
export function bypass<W extends Wire>(
  attack: Attack<W>,
  { held, breached, lawless = false }: Tried<NoInfer<W>>,
): void {
  const outcomeOf = async (open: Open<W>): Promise<Outcome> => {
    const target = await open();
    try {
      await attack(target);
      return judge(target, lawless);
    } finally {
      await target.close();
    }
  };
  test.each(Object.entries(held))('is held: %s', async (_door, open) => {
    expect(await outcomeOf(open)).toBe('held');
  });
  test.each(Object.entries(breached))('can succeed: %s', async (_door, open) => {
    expect(await outcomeOf(open)).toBe('breached');
  });
}
