/**
 * One policy for each tenant, from a folder that holds a folder for each. Every tenant's policy is
 * read, tried, kept in force and let go by itself, as if there were no other; a tenant without a
 * folder has none, from the next look on.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../contract/ambient.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PolicyBundle } from './bundle.ts';
import { unreadable } from './files.ts';
import { BUNDLES } from './policy_files.ts';
import { BundleSource, type SourceSettings } from './source.ts';
import { locatePolicy, tenantOf } from './tenant_folder.ts';
import { requireTrustedPlace } from './trust.ts';

export interface TenantSettings extends SourceSettings {
  /** Folder of the tenants' folders. */
  tenants: string;
  /** Most tenants that have a policy; a further one is denied. */
  tenants_max: number;
}

export interface TenantOptions<Active> {
  settings: TenantSettings;
  clock: Clock;
  log: Logger;
  /** Makes a tenant's policy ready to decide, or rejects with the reason why it must not. */
  activate(bundle: PolicyBundle, tenant: string): Promise<Active>;
}

/**
 * Reads every tenant's policy, then watches the folder. Rejects where the folder cannot be used; a
 * tenant whose policy cannot be used is without one until that is mended.
 */
export async function openTenants<Active extends { close(): void }>(
  options: TenantOptions<Active>,
): Promise<Tenants<Active>> {
  const tenants = new Tenants(options);
  await tenants.start();
  return tenants;
}

/** What a folder of tenants holds. */
interface Listed {
  /** The folder of each tenant. */
  tenants: ReadonlyMap<string, string>;
  /** Names that stand for none. */
  odd: readonly string[];
}

/** The policies in force, by tenant. */
export class Tenants<Active extends { close(): void }> {
  readonly per_tenant = true;
  readonly #options: TenantOptions<Active>;
  readonly #sources = new Map<string, BundleSource<Active>>();
  readonly #listeners = new Set<(tenant?: string) => void>();
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(options: TenantOptions<Active>) {
    this.#options = options;
  }

  /** The policy of a tenant. Throws `POLICY_ABSENT`, also where no tenant is named. */
  current(tenant?: string): Active {
    const source = tenant === undefined ? undefined : this.#sources.get(tenant);
    if (source) return source.current();
    throw new PortcullisError('POLICY_ABSENT', 'the tenant has no policy');
  }

  /** Calls `listener` with the tenant whose policy changed; returns the way to stop. */
  watch(listener: (tenant?: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    const added = this.#update(await this.#list());
    await Promise.all(added.map((source) => source.startAnyway()));
    this.#schedule();
  }

  /** Looks at the folder and at each policy once, as the timers do. Never rejects. */
  async check(): Promise<void> {
    await this.#look();
    await Promise.all([...this.#sources.values()].map((source) => source.check()));
  }

  /** Stops watching and releases every policy. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    const sources = [...this.#sources.values()];
    this.#sources.clear();
    await Promise.all(sources.map((source) => source.close()));
  }

  #schedule(): void {
    if (this.#closed) return;
    const again = (): void => void this.#look().finally(() => this.#schedule());
    this.#timer = setTimeout(again, this.#options.settings.reload_interval_ms).unref();
  }

  /** A folder that cannot be listed says nothing of its tenants: each policy ages by itself. */
  async #look(): Promise<void> {
    this.#looking ??= this.#list()
      .then((listed) => {
        for (const source of this.#update(listed)) source.startLater();
      })
      .catch((error: unknown) => this.#note(error))
      .finally(() => {
        this.#looking = undefined;
      });
    await this.#looking;
  }

  async #list(): Promise<Listed> {
    const { tenants: folder } = this.#options.settings;
    requireTrustedPlace('folder of the tenants', folder);
    const entries = await readdir(folder).catch((cause: unknown) => {
      throw unreadable(folder, cause);
    });
    const tenants = new Map<string, string>();
    const odd: string[] = [];
    for (const name of entries.filter((entry) => !entry.startsWith('.')).sort()) {
      const tenant = tenantOf(name);
      if (tenant !== undefined) tenants.set(tenant, join(folder, name));
      else odd.push(`\`${name}\``);
    }
    return { tenants, odd };
  }

  /** Lets go of tenants that are gone; yields the sources of new ones, which are not started. */
  #update({ tenants, odd }: Listed): BundleSource<Active>[] {
    if (this.#closed) return [];
    for (const [tenant, source] of this.#sources) {
      if (tenants.has(tenant)) continue;
      this.#sources.delete(tenant);
      void source.close();
      this.#options.log.info('a tenant has no policy any more', { tenant });
      this.#changed(tenant);
    }
    const { tenants_max } = this.#options.settings;
    const added = [...tenants].filter(([tenant]) => !this.#sources.has(tenant));
    const room = Math.max(0, tenants_max - this.#sources.size);
    const problems = [
      ...(odd.length > 0 ? [`names of no tenant: ${odd.join(', ')}`] : []),
      ...(added.length > room ? [`more tenants than tenants_max (${tenants_max})`] : []),
    ];
    this.#tell(problems.length > 0 ? problems.join('; ') : undefined);
    return added.slice(0, room).map(([tenant, folder]) => this.#add(tenant, folder));
  }

  #add(tenant: string, folder: string): BundleSource<Active> {
    const { settings, clock, log, activate } = this.#options;
    const source = new BundleSource<Active>({
      settings,
      reader: BUNDLES,
      locate: () => locatePolicy(folder),
      clock,
      log: log.child({ tenant }),
      activate: (bundle) => activate(bundle, tenant),
    });
    source.watch(() => this.#changed(tenant));
    this.#sources.set(tenant, source);
    return source;
  }

  #changed(tenant: string): void {
    for (const listener of this.#listeners) listener(tenant);
  }

  #note(error: unknown): void {
    this.#tell(error instanceof PortcullisError ? error.message : 'the folder could not be read');
  }

  /** Logs a problem when it is new. */
  #tell(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem !== undefined) {
      this.#options.log.warn('not every tenant has a policy', { problem });
    }
  }
}
