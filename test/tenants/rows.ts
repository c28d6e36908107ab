/**
 * One row for each way from one tenant to another. `own` shows that the way leads somewhere: what
 * the tenant's own user gets by it. `across` is what the same request gets under another tenant.
 */
import type { World } from './fixture.ts';

export interface Row {
  /** The way. */
  way: string;
  tried(world: World): Promise<{ own: unknown; across: unknown }>;
  own: unknown;
  across: unknown;
}
