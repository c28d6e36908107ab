/**
 * Which tasks a server made, for whom, and by which use of a capability. A server keeps tasks over
 * its connections, so that the connections of a guarded server share one table. What is not in it
 * does not exist for anybody.
 */
import type { Clock } from '../contract/ambient.ts';
import type { Obligation } from '../contract/types.gen.ts';
import type { CatalogueItem } from './catalogue.ts';
import type { Asker } from './evaluation.ts';
import type { Kind } from './kinds.ts';
import type { JsonObject } from './message.ts';

/** The use of a capability that a task came of. */
export interface Origin {
  kind: Kind;
  name: string;
  item: Pick<CatalogueItem, 'digest'>;
  arguments: JsonObject;
  /** Who made it, and how. */
  asker: Asker;
  /** What the decision on the use asked for; it holds for everything that is told of the task. */
  obligations: readonly Obligation[];
}

export interface Task {
  readonly id: string;
  readonly principal: string;
  readonly origin: Origin;
  readonly created_at_ms: number;
  expires_at_ms: number;
  /** Its owner was told how it ended, so that it may make room. */
  ended: boolean;
  /** The names under which the state that its owner was told asks for something. */
  asked: readonly string[];
  /** The server gave its id to another task as well, so that it names none. */
  ambiguous: boolean;
}

/** Room for a task that a server may make; it is taken once. */
export interface Place {
  /** Undefined: its id names another task already. */
  take(id: string, origin: Origin, ttl_ms: number | undefined): Task | undefined;
  /** Gives back what was not taken. */
  release(): void;
}

export interface TaskLimits {
  /** Most tasks that are remembered at a time. */
  tasks_max: number;
  /** Most of them that belong to one principal. */
  tasks_per_principal_max: number;
  /** Longest time that one is remembered, whatever the server says. */
  task_ttl_ms_max: number;
}

export class Tasks {
  /** A client was told that the server has tasks; a server without them has no such methods. */
  offered = false;
  readonly #limits: TaskLimits;
  readonly #clock: Clock;
  /** By id, the oldest first. */
  readonly #tasks = new Map<string, Task>();
  /** The principals of calls that may become tasks. */
  readonly #places = new Map<object, string>();

  constructor(limits: TaskLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** The task of that id, if it is of that principal. */
  find(id: unknown, principal: string): Task | undefined {
    const task = this.#tasks.get(id as string);
    const owned = task?.principal === principal && !task?.ambiguous;
    return task && owned && task.expires_at_ms > this.#clock.now_ms() ? task : undefined;
  }

  /**
   * Room for one more task of a principal: expired ones make it, and then the oldest that ended,
   * its own before those of others. Undefined where there is none.
   */
  reserve(principal: string): Place | undefined {
    const { tasks_max, tasks_per_principal_max } = this.#limits;
    this.#sweep();
    const own = (task: Task) => task.principal === principal;
    if (this.#countOf(principal) >= tasks_per_principal_max && !this.#drop(own)) return undefined;
    const full = this.#tasks.size + this.#places.size >= tasks_max;
    if (full && !this.#drop(own) && !this.#drop(() => true)) return undefined;
    const place = {
      take: (id: string, origin: Origin, ttl_ms: number | undefined) =>
        this.#places.delete(place) ? this.#add(id, principal, origin, ttl_ms) : undefined,
      release: () => {
        this.#places.delete(place);
      },
    };
    this.#places.set(place, principal);
    return place;
  }

  /** The server may change how long it keeps a task (extension tasks, `ttlMs`). */
  keep(task: Task, ttl_ms: number | undefined): void {
    const { task_ttl_ms_max } = this.#limits;
    task.expires_at_ms = task.created_at_ms + Math.min(ttl_ms ?? task_ttl_ms_max, task_ttl_ms_max);
  }

  #add(
    id: string,
    principal: string,
    origin: Origin,
    ttl_ms: number | undefined,
  ): Task | undefined {
    const created_at_ms = this.#clock.now_ms();
    this.#sweep();
    const other = this.#tasks.get(id);
    if (other) {
      other.ambiguous = true;
      other.expires_at_ms = created_at_ms + this.#limits.task_ttl_ms_max;
      return undefined;
    }
    const open = { ended: false, ambiguous: false, asked: [], expires_at_ms: created_at_ms };
    const task: Task = { id, principal, origin, created_at_ms, ...open };
    this.keep(task, ttl_ms);
    this.#tasks.set(id, task);
    this.offered = true;
    return task;
  }

  #countOf(principal: string): number {
    let count = 0;
    for (const task of this.#tasks.values()) if (task.principal === principal) count += 1;
    for (const owner of this.#places.values()) if (owner === principal) count += 1;
    return count;
  }

  #drop(which: (task: Task) => boolean): boolean {
    for (const task of this.#tasks.values()) {
      if (task.ended && !task.ambiguous && which(task)) return this.#tasks.delete(task.id);
    }
    return false;
  }

  #sweep(): void {
    const now_ms = this.#clock.now_ms();
    for (const task of this.#tasks.values()) {
      if (task.expires_at_ms <= now_ms) this.#tasks.delete(task.id);
    }
  }
}
