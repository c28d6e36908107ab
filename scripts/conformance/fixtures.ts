/** What the suite is run against: a fixture of each SDK line, and the ways to reach it. */
import { openGuard } from '../../src/cli/guard.ts';
import type { Guard } from '../../src/pep/mcp/guard.ts';
import type { HttpGuard, HttpOptions } from '../../src/pep/mcp/http.ts';
import { guard1x, guard2x } from '../../test/conformance/fixture/guarded.ts';
import {
  fromWeb,
  host,
  type Hosted,
  type WebHandler,
} from '../../test/conformance/fixture/host.ts';
import { serve1x, serve2x } from '../../test/conformance/fixture/unguarded.ts';
import { identity, type Settings } from './policy.ts';
import type { Revision } from './suite.ts';
import { wrap } from './wrapped.ts';

/** How a fixture is reached; the columns of the table. */
export const WAYS = ['unguarded', 'guarded', 'wrapped'] as const;
export type Way = (typeof WAYS)[number];

/** Starts a fixture; the settings are those of whoever decides on the way. */
type Start = (settings: Settings) => Promise<Hosted>;

export interface Fixture {
  name: string;
  /** The revisions that it speaks: without a guard it passes all that they require. */
  goals: readonly Revision[];
  /** Starts it; a way that is not there has an empty column. */
  start: Readonly<Record<'unguarded' | 'guarded', Start>> & { readonly wrapped?: Start };
}

export const FIXTURES: readonly Fixture[] = [
  {
    name: 'SDK 1.x',
    goals: ['2025-11-25'],
    start: waysTo(serve1x, guard1x),
  },
  {
    name: 'SDK 2.x',
    goals: ['2025-11-25', '2026-07-28'],
    start: waysTo(serve2x, guard2x),
  },
];

function waysTo(serve: () => WebHandler, mount: Mount): Fixture['start'] {
  const alone = () => host(fromWeb(serve()));
  return {
    unguarded: alone,
    guarded: behind(mount),
    wrapped: async (settings) => wrap(await alone(), settings),
  };
}

type Mount = (guard: Guard, options: HttpOptions) => HttpGuard;

/** The guard decides in this process, and has the identity of the one caller that there is. */
function behind(mount: Mount): Start {
  return async (settings: Settings): Promise<Hosted> => {
    const guard = openGuard(settings);
    const handler = mount(guard, { identity });
    await handler.ready;
    const hosted = await host(handler);
    return {
      url: hosted.url,
      async close() {
        await handler.close();
        await hosted.close();
        await guard.close();
      },
    };
  };
}
