/** Where the keys of an issuer come from. */
import type { CryptoKey } from 'jose';
import type { Clock } from '../../contract/ambient.ts';
import { readKeySet, type KeyHeader, type KeySet } from './key_set.ts';
import { fetchKeys, type FetchedKeys, type FetchLimits } from './keys_over_http.ts';
import { TokenRefused } from './refusals.ts';
import { watchedFile } from './watched_file.ts';

/** The key for a header. Throws `TokenRefused`: KEY_UNKNOWN or KEYS_UNAVAILABLE. */
export type Keys = (header: KeyHeader) => Promise<CryptoKey>;

/** Keys in a file, which is read again where it changed. */
export function keysInFile(path: string, size_bytes_max: number, clock: Clock): Keys {
  const current = watchedFile({ path, size_bytes_max, clock, read: readKeySet });
  return async (header) => {
    const content = current();
    if (!content.ok) throw new TokenRefused('KEYS_UNAVAILABLE', `the file ${content.why}`);
    return required(await content.value(header));
  };
}

export interface UrlSettings extends FetchLimits {
  /** Longest that fetched keys are used before they are fetched again. */
  fresh_seconds_max: number;
  /** Longest that they are used where they cannot be fetched again. */
  age_seconds_max: number;
  /** Least time between two fetches. */
  cooldown_ms: number;
}

/** Keys at a URL, fetched when they are needed, and again when they are old or one is missing. */
export function keysAtUrl(url: string, settings: UrlSettings, clock: Clock): Keys {
  const held = new HeldKeys(() => fetchKeys(url, settings), settings, clock);
  return async (header) => {
    const found = await (await held.current())(header);
    if (found !== undefined) return found;
    // The issuer may have begun to sign with another key.
    return required(await (await held.renewed())(header));
  };
}

function required(key: CryptoKey | undefined): CryptoKey {
  if (key === undefined) throw new TokenRefused('KEY_UNKNOWN');
  return key;
}

/** What was fetched last, and when it was tried last. */
class HeldKeys {
  readonly #fetch: () => Promise<FetchedKeys>;
  readonly #settings: UrlSettings;
  readonly #clock: Clock;
  #keys: { set: KeySet; fetched_at_ms: number; fresh_ms: number } | undefined;
  #tried_at_ms = Number.NEGATIVE_INFINITY;
  #fault = 'they were not fetched yet';
  #fetching: Promise<void> | undefined;

  constructor(fetch: () => Promise<FetchedKeys>, settings: UrlSettings, clock: Clock) {
    this.#fetch = fetch;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The keys, fetched where they are old. */
  async current(): Promise<KeySet> {
    if (!this.#isFresh()) await this.#renew();
    return this.#usable();
  }

  /** The keys, fetched unless that was tried just before. */
  async renewed(): Promise<KeySet> {
    await this.#renew();
    return this.#usable();
  }

  /** A clock that was set back makes nothing young. */
  #ageOf(at_ms: number): number {
    const age_ms = this.#clock.now_ms() - at_ms;
    return age_ms < 0 ? Number.POSITIVE_INFINITY : age_ms;
  }

  #isFresh(): boolean {
    return this.#keys !== undefined && this.#ageOf(this.#keys.fetched_at_ms) < this.#keys.fresh_ms;
  }

  #usable(): KeySet {
    const age_ms_max = this.#settings.age_seconds_max * 1000;
    if (this.#keys !== undefined && this.#ageOf(this.#keys.fetched_at_ms) < age_ms_max) {
      return this.#keys.set;
    }
    throw new TokenRefused('KEYS_UNAVAILABLE', this.#fault);
  }

  /** One fetch at a time, whoever waits for it; and none so soon after another. */
  async #renew(): Promise<void> {
    if (this.#fetching === undefined) {
      if (this.#ageOf(this.#tried_at_ms) < this.#settings.cooldown_ms) return;
      this.#tried_at_ms = this.#clock.now_ms();
      this.#fetching = this.#take().finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
  }

  async #take(): Promise<void> {
    const fetched = await this.#fetch();
    if (!fetched.ok) {
      this.#fault = fetched.why;
      return;
    }
    const { fresh_seconds_max } = this.#settings;
    const fresh_seconds = Math.min(fetched.max_age_seconds ?? fresh_seconds_max, fresh_seconds_max);
    this.#keys = {
      set: fetched.set,
      fetched_at_ms: this.#clock.now_ms(),
      fresh_ms: fresh_seconds * 1000,
    };
  }
}
