/**
 * Every way that there is from one tenant to another, tried. What comes with later issues
 * (approvals, search, console) adds its rows.
 */
import { expect, test } from '@jest/globals';
import { openWorld } from './fixture.ts';
import { PDP_ROWS } from './rows_pdp.ts';
import { PEP_ROWS } from './rows_pep.ts';

test.each([...PDP_ROWS, ...PEP_ROWS])(
  'one tenant does not reach another by $way',
  async ({ tried, own, across }) => {
    await using world = await openWorld();
    expect(await tried(world)).toEqual({ own, across });
  },
);
