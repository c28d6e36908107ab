/** Policies of tenants in folders of a temporary folder, with a clock that stands still. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { PolicyBundle } from '../../src/bundle/bundle.ts';
import { openTenants, type Tenants, type TenantSettings } from '../../src/bundle/tenants.ts';
import { PortcullisError } from '../../src/errors.ts';
import { bundleOf, type Held } from './bundle_scene.ts';
import { DEFAULTS } from './defaults.ts';
import { recordingLogger, temporaryDirectory, type LoggedLine } from './evidence_log.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tenants) => tenants.close()));
});

export class TenantScene {
  readonly folder = temporaryDirectory();
  readonly lines: LoggedLine[] = [];
  readonly held: { tenant: string; policy: Held }[] = [];
  /** Tenants whose policy was told to have changed. */
  readonly told: (string | undefined)[] = [];
  /** A tenant whose policy must not decide. */
  barred: string | undefined;
  now_ms = 1_000_000;
  tenants!: Tenants<Held>;

  /** Puts a bundle there, as one that was copied beside and moved. */
  put(name: string, data: object): void {
    const folder = this.make(name);
    writeFileSync(join(folder, '.new'), bundleOf(data));
    renameSync(join(folder, '.new'), join(folder, 'bundle.tar.gz'));
  }

  make(name: string): string {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return folder;
  }

  write(path: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, path), content);
  }

  remove(name: string): void {
    rmSync(join(this.folder, name), { recursive: true });
  }

  async open(changes: Partial<TenantSettings> = {}): Promise<this> {
    this.tenants = await openTenants({
      settings: {
        ...DEFAULTS.policy,
        reload_interval_ms: 3_600_000,
        tenants: this.folder,
        ...changes,
      },
      clock: { now_ms: () => this.now_ms },
      log: recordingLogger(this.lines),
      activate: async (bundle, tenant) => this.#activate(bundle, tenant),
    });
    opened.push(this.tenants);
    this.tenants.watch((tenant) => this.told.push(tenant));
    return this;
  }

  /** Looks twice, as it takes to see that a file has settled. */
  async settle(): Promise<void> {
    await this.tenants.check();
    await this.tenants.check();
  }

  /** The data in force for a tenant, or the code of the refusal. */
  inForce(tenant?: string): unknown {
    try {
      return this.tenants.current(tenant).data;
    } catch (error) {
      return (error as PortcullisError).code;
    }
  }

  problems(): unknown[] {
    return this.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields?.problem);
  }

  #activate({ data }: PolicyBundle, tenant: string): Held {
    if (tenant === this.barred) throw new PortcullisError('BUNDLE_REFUSED', 'it opens everything');
    const policy = {
      data,
      closed: false,
      close() {
        this.closed = true;
      },
    };
    this.held.push({ tenant, policy });
    return policy;
  }
}
