/** A bundle source over files of a temporary folder, with a clock that stands still. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { PolicyBundle } from '../../src/bundle/bundle.ts';
import { writeBundle } from '../../src/bundle/files.ts';
import {
  openBundleSource,
  type BundleSource,
  type BundleSourceSettings,
} from '../../src/bundle/source.ts';
import type { PortcullisError } from '../../src/errors.ts';
import { recordingLogger, temporaryDirectory, type LoggedLine } from './evidence_log.ts';
import { DEFAULTS } from './defaults.ts';

/** What the tests activate: the data, and whether it was closed. */
export interface Held {
  data: object;
  closed: boolean;
  close(): void;
}

const opened: BundleSource<Held>[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
});

export class Scene {
  readonly folder = temporaryDirectory();
  bundle = join(this.folder, 'bundle.tar.gz');
  readonly data = join(this.folder, 'data.yaml');
  readonly lines: LoggedLine[] = [];
  now_ms = 1_000_000;
  activations = 0;
  /** Stands in the way of the next activations. */
  obstacle: PortcullisError | undefined;
  source!: BundleSource<Held>;

  writeBundle(data: object): void {
    writeFileSync(this.bundle, bundleOf(data));
  }

  async open(changes: Partial<BundleSourceSettings> = {}) {
    this.source = await openBundleSource({
      settings: {
        ...DEFAULTS.policy,
        reload_interval_ms: 3_600_000,
        bundle: this.bundle,
        ...changes,
      },
      clock: { now_ms: () => this.now_ms },
      log: recordingLogger(this.lines),
      activate: async (bundle) => this.#activate(bundle),
    });
    opened.push(this.source);
    return this;
  }

  /** Looks twice, as it takes to see that a file has settled. */
  async settle(): Promise<void> {
    await this.source.check();
    await this.source.check();
  }

  problems(): unknown[] {
    return this.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields?.problem);
  }

  #activate({ data }: PolicyBundle): Held {
    if (this.obstacle) throw this.obstacle;
    this.activations += 1;
    return {
      data,
      closed: false,
      close() {
        this.closed = true;
      },
    };
  }
}

export function bundleOf(data: object): Uint8Array {
  const files = { 'policy.wasm': 'module', 'data.json': JSON.stringify(data) };
  return writeBundle(
    new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
  );
}
