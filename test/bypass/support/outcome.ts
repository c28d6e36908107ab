/** Tries an attack on guarded servers, and on ones where it must succeed, so that it can. */
import { expect, test } from '@jest/globals';
import { CANARY } from './bank.ts';
import type { Wire } from './doors.ts';
import type { Open, Target } from './targets.ts';

export type Attack<W extends Wire = Wire> = (target: Target<W>) => Promise<unknown>;
type Doors<W extends Wire> = Readonly<Record<string, Open<W>>>;

/** `dead`: not even a lawful call was served, so that nothing was tried. */
type Outcome = 'held' | 'breached' | `dead: ${string}`;

async function outcomeOf<W extends Wire>(open: Open<W>, attack: Attack<W>): Promise<Outcome> {
  const target = await open();
  try {
    await attack(target);
    const { done, forbidden } = target.bank;
    if (forbidden.length > 0 || target.heard().includes(CANARY)) return 'breached';
    return done.includes('balance') ? 'held' : `dead: ${target.heard()}`;
  } finally {
    await target.close();
  }
}

/** The attack is held at the guarded doors, and breaches those that others made. */
export function bypass<W extends Wire>(
  attack: Attack<W>,
  { held, breached }: { held: Doors<W>; breached: Doors<W> },
): void {
  test.each(Object.entries(held))('is held: %s', async (_door, open) => {
    expect(await outcomeOf(open, attack)).toBe('held');
  });
  test.each(Object.entries(breached))('can succeed: %s', async (_door, open) => {
    expect(await outcomeOf(open, attack)).toBe('breached');
  });
}
