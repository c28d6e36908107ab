/**
 * Keeps the policy that lies at a path in force: looks for changes, reads what changed, has it
 * activated, and only then lets it take the place of the one before. What cannot be read or
 * activated leaves the active policy where it is, until that is older than allowed (ruling R18).
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../contract/ambient.ts';
import { versionOf } from '../contract/changing_files.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { about } from './about.ts';
import type { PolicyBundle } from './bundle.ts';
import { listFolder, type BundleLimits } from './files.ts';
import {
  BUNDLES,
  unreadableAs,
  type PolicyPlace,
  type PolicyReader,
  type UnreadableCode,
} from './policy_files.ts';

/** How a policy is read and kept in force. */
export interface SourceSettings extends BundleLimits {
  /** Without a check that found the policy readable for so long, there is none; 0 is no limit. */
  age_seconds_max: number;
  reload_interval_ms: number;
}

export type BundleSourceSettings = SourceSettings & PolicyPlace;

/** What decides whether a policy is another than the one before. */
interface Identified {
  identity: { revision: string; digest: string };
}

export interface BundleSourceOptions<Active, Candidate extends Identified = PolicyBundle> {
  settings: SourceSettings;
  reader: PolicyReader<Candidate>;
  /** Asked at each look, since what lies in a folder may change. Rejects as reading does. */
  locate(): Promise<PolicyPlace>;
  clock: Clock;
  log: Logger;
  /** Makes a policy ready to decide, or rejects with the reason why it must not. */
  activate(candidate: Candidate): Promise<Active>;
}

/** Reads and activates the policy, then watches it. Rejects where the first one cannot be used. */
export function openBundleSource<Active extends { close(): void }>(
  options: Omit<PlacedSourceOptions<Active, PolicyBundle>, 'reader'>,
): Promise<BundleSource<Active>> {
  return openSource({ ...options, reader: BUNDLES });
}

type PlacedSourceOptions<Active, Candidate extends Identified> = Omit<
  BundleSourceOptions<Active, Candidate>,
  'locate'
> & { settings: BundleSourceSettings };

/** The same for what is no bundle. */
export async function openSource<Active extends { close(): void }, Candidate extends Identified>(
  options: PlacedSourceOptions<Active, Candidate>,
): Promise<BundleSource<Active, Candidate>> {
  const source = new BundleSource({ ...options, locate: async () => options.settings });
  await source.start();
  return source;
}

/**
 * The policy in force. A replaced one stays usable for whoever still holds it, and is released with
 * the last reference; only closing the source ends the active one.
 */
export class BundleSource<
  Active extends { close(): void },
  Candidate extends Identified = PolicyBundle,
> {
  readonly #options: BundleSourceOptions<Active, Candidate>;
  readonly #listeners = new Set<() => void>();
  #active: Active | undefined;
  #digest = '';
  /** State of the files when the active policy was read, when they were looked at last, and when
   * they were last found bad. */
  #loaded: string | undefined;
  #seen: string | undefined;
  #refused: string | undefined;
  #checked_at_ms = 0;
  #problem: string | undefined;
  #wasReady = false;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;
  #closed = false;

  constructor(options: BundleSourceOptions<Active, Candidate>) {
    this.#options = options;
  }

  /** The active policy. Throws `POLICY_ABSENT`. */
  current(): Active {
    if (this.#active && !this.#isTooOld()) return this.#active;
    const state = this.#active ? 'the policy is older than age_seconds_max' : 'no policy is active';
    const problem = this.#problem === undefined ? '' : `: ${this.#problem}`;
    throw new PortcullisError('POLICY_ABSENT', `${state}${problem}`);
  }

  /** Calls `listener` after each change, also to and from too old; returns the way to stop. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reads without waiting for the files to settle, so what it read counts as unknown and the first
   * checks read it again.
   */
  async start(): Promise<void> {
    await this.#load();
    this.#schedule();
  }

  /** As `start`, but what cannot be used yet is looked at again, as a change would be. */
  async startAnyway(): Promise<void> {
    await this.#load().catch((error: unknown) => this.#note(error));
    this.#schedule();
  }

  /** Reads nothing before the files have settled: whoever puts them there may still be at it. */
  startLater(): void {
    this.#schedule();
  }

  /** Looks at the files once, as the timer does. Never rejects; checks do not overlap. */
  async check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    await this.#checking;
  }

  /** Stops watching and releases the active policy. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#checking;
    this.#active?.close();
    this.#active = undefined;
  }

  #schedule(): void {
    if (this.#closed) return;
    const again = (): void => void this.check().finally(() => this.#schedule());
    this.#timer = setTimeout(again, this.#options.settings.reload_interval_ms).unref();
  }

  /** A file is read when two checks in a row saw it unchanged: half a YAML file may look whole. */
  async #check(): Promise<void> {
    try {
      const state = await this.#state();
      if (state === this.#loaded) this.#confirm();
      else if (state !== this.#seen) this.#seen = state;
      else if (state !== this.#refused) await this.#reload(state);
    } catch (error) {
      this.#note(error);
    }
    this.#tellIfChanged();
  }

  async #reload(state: string): Promise<void> {
    this.#refused = state;
    await this.#load();
    this.#refused = undefined;
    this.#loaded = state;
  }

  async #load(): Promise<void> {
    const { settings, reader, activate, log } = this.#options;
    const state = await this.#state();
    const place = await this.#options.locate();
    const candidate = await reader.read(place, settings);
    if (state !== (await this.#state())) {
      throw new PortcullisError(reader.code, 'the policy changed while it was read');
    }
    if (candidate.identity.digest !== this.#digest) {
      const active = await about(place.bundle, () => activate(candidate));
      this.#active = active;
      this.#digest = candidate.identity.digest;
      this.#wasReady = false;
      log.info('a policy was activated', { ...candidate.identity });
    }
    this.#confirm();
    this.#tellIfChanged();
  }

  async #state(): Promise<string> {
    const { bundle, data } = await this.#options.locate();
    const { settings, reader } = this.#options;
    const { files_max } = settings;
    const states = [bundle, await stateOf(bundle, reader.code, files_max)];
    if (data !== null) states.push(data, await stateOf(data, 'DATA_INVALID', files_max));
    return states.join(' ');
  }

  #confirm(): void {
    this.#checked_at_ms = this.#options.clock.now_ms();
    this.#problem = undefined;
  }

  /** Keeps the reason, and logs it when it is new. */
  #note(error: unknown): void {
    const isKnown = error instanceof PortcullisError;
    const problem = isKnown ? error.message : 'the policy could not be read';
    if (problem === this.#problem) return;
    this.#problem = problem;
    const code = isKnown ? error.code : 'INTERNAL';
    this.#options.log.warn('the policy was not reloaded', { code, problem });
  }

  #isTooOld(): boolean {
    const { settings, clock } = this.#options;
    const age_ms = clock.now_ms() - this.#checked_at_ms;
    return settings.age_seconds_max > 0 && age_ms > settings.age_seconds_max * 1000;
  }

  #tellIfChanged(): void {
    const isReady = this.#active !== undefined && !this.#isTooOld();
    if (isReady === this.#wasReady) return;
    this.#wasReady = isReady;
    for (const listener of this.#listeners) listener();
  }
}

/** Text that changes with any change of a file, or of the files in a folder. */
async function stateOf(path: string, code: UnreadableCode, files_max: number): Promise<string> {
  try {
    const found = await stat(path, { bigint: true });
    const own = versionOf(found);
    if (!found.isDirectory()) return own;
    const names = await listFolder(path, files_max);
    const inner = names.map(
      async (name) => `${name}:${await stateOf(join(path, name), code, files_max)}`,
    );
    return [own, ...(await Promise.all(inner))].join();
  } catch (cause) {
    throw unreadableAs(code, path, cause);
  }
}
