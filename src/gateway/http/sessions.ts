/** Sessions of the legacy era, each bound to the principal that began it. */
import type { Clock } from '../../contract/ambient.ts';
import type { HttpSettings } from '../../pep/settings.ts';
import type { Connected } from './connected.ts';

export interface Session {
  id: string;
  connected: Connected;
  principal: string;
  used_at_ms: number;
}

export class Sessions {
  readonly #settings: HttpSettings;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();

  constructor(settings: HttpSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Undefined where there is none, and for every other principal. */
  find(id: string, principal: string): Session | undefined {
    const session = this.#sessions.get(id);
    if (session?.principal !== principal) return undefined;
    session.used_at_ms = this.#clock.now_ms();
    return session;
  }

  begin(id: string, session: Pick<Session, 'connected' | 'principal'>): void {
    this.#sessions.set(id, { ...session, id, used_at_ms: this.#clock.now_ms() });
  }

  end(id: string): void {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    session?.connected.close();
  }

  /** Idle sessions make room for another, and then those that are worth least. */
  makeRoom(isWorthLeast: (session: Session) => boolean): boolean {
    const { session_idle_ms, sessions_max } = this.#settings;
    const since_ms = this.#clock.now_ms() - session_idle_ms;
    this.#endAll(({ used_at_ms }) => used_at_ms < since_ms);
    if (this.#sessions.size >= sessions_max) this.#endAll(isWorthLeast);
    return this.#sessions.size < sessions_max;
  }

  close(): void {
    this.#endAll(() => true);
  }

  #endAll(which: (session: Session) => boolean): void {
    for (const session of [...this.#sessions.values()].filter(which)) this.end(session.id);
  }
}
