/**
 * The guard's own list of what a server has of one kind: it asks the server itself, page by page,
 * and does not rely on what passed by for a client. What is not here does not exist for anybody,
 * and a name that the server lists twice has no one meaning, so it is left out.
 */
import { digestOf } from '../contract/digest.ts';
import { PortcullisError } from '../errors.ts';
import { KINDS, type Kind } from './kinds.ts';
import { isComplete, isObject, type JsonObject } from './message.ts';

export interface CatalogueItem {
  /** What it is used by: a name, a URI or a URI template. */
  name: string;
  /** Digest of the definition as the server lists it. */
  digest: string;
  /** The definition as text, to recognise it again without hashing. */
  text: string;
  definition: JsonObject;
}

/** What there is at one moment; never changed. */
export interface Snapshot {
  items: ReadonlyMap<string, CatalogueItem>;
  /** Names that the server lists more than once. */
  doubled: ReadonlySet<string>;
  digest: string;
  /** False: the server has none of the kind, and does not know the methods. */
  supported: boolean;
}

/** One page of the server's list as it says it on the wire; undefined = it knows no such method. */
export type ListPage = (cursor: string | undefined) => Promise<unknown>;

const NAME_LENGTH_MAX = 2048;
/** The event loop is let go after this many definitions. */
const CHUNK = 250;
/** How often a list that changes while it is read is read again. */
const ATTEMPTS = 3;

export class Catalogue {
  readonly #kind: Kind;
  readonly #items_max: number;
  #generation = 0;
  #snapshot: Snapshot | undefined;
  #reading: Promise<Snapshot> | undefined;

  constructor(kind: Kind, items_max: number) {
    this.#kind = kind;
    this.#items_max = items_max;
  }

  /** The server said that its list changed, or it was seen to have. */
  invalidate(): void {
    this.#generation += 1;
    this.#snapshot = undefined;
  }

  /** The list, read again if it changed. Rejects where the server's list cannot be had. */
  async current(list_page: ListPage): Promise<Snapshot> {
    if (this.#snapshot) return this.#snapshot;
    this.#reading ??= this.#read(list_page).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(list_page: ListPage): Promise<Snapshot> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const generation = this.#generation;
      const snapshot = await readAll(this.#kind, list_page, this.#items_max);
      if (generation !== this.#generation) continue;
      this.#snapshot = snapshot;
      return snapshot;
    }
    throw new PortcullisError('INTERNAL', `${listOf(this.#kind)} does not come to rest`);
  }
}

async function readAll(kind: Kind, list_page: ListPage, items_max: number): Promise<Snapshot> {
  const items = new Map<string, CatalogueItem>();
  const doubled = new Set<string>();
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let count = 0;
  do {
    const result = await list_page(cursor);
    if (result === undefined) return { items, doubled, digest: digestOf([]), supported: false };
    const page = readPage(kind, result);
    for (const item of page.items) {
      count += 1;
      if (count > items_max) throw tooMany(kind, items_max);
      if (count % CHUNK === 0) await new Promise((resolve) => setImmediate(resolve));
      addItem(kind, items, doubled, item);
    }
    cursor = page.next;
    if (cursor !== undefined && cursors.has(cursor)) throw malformed(kind, 'repeats a cursor');
    if (cursor !== undefined) cursors.add(cursor);
    if (cursors.size > items_max) throw tooMany(kind, items_max);
  } while (cursor !== undefined);
  const digest = digestOf([...items.values()].map((item) => [item.name, item.digest]));
  return { items, doubled, digest, supported: true };
}

/** The items of a page and its cursor. */
export function readPage(
  kind: Kind,
  result: unknown,
): { items: unknown[]; next: string | undefined } {
  if (!isObject(result)) throw malformed(kind, 'is no object');
  if (!isComplete(result)) throw malformed(kind, 'is not complete');
  const { member } = KINDS[kind];
  const { [member]: items, nextCursor } = result;
  if (!Array.isArray(items)) throw malformed(kind, `has no array of ${member}`);
  if (nextCursor === undefined) return { items, next: undefined };
  if (typeof nextCursor !== 'string') throw malformed(kind, 'has a cursor that is no text');
  return { items, next: nextCursor };
}

function addItem(
  kind: Kind,
  items: Map<string, CatalogueItem>,
  doubled: Set<string>,
  listed: unknown,
): void {
  const name = nameOf(kind, listed);
  if (name === undefined || doubled.has(name)) return;
  if (items.delete(name)) {
    doubled.add(name);
    return;
  }
  const definition = listed as JsonObject;
  items.set(name, { name, digest: digestOf(listed), text: JSON.stringify(listed), definition });
}

/** What a listed item is used by; undefined where policy could not name it. */
export function nameOf(kind: Kind, listed: unknown): string | undefined {
  if (!isObject(listed)) return undefined;
  const name = listed[KINDS[kind].key];
  return isName(name) ? name : undefined;
}

/** Whether policy can name a thing so. */
export function isName(name: unknown): name is string {
  if (typeof name !== 'string' || !name.isWellFormed()) return false;
  return name.length > 0 && name.length <= NAME_LENGTH_MAX;
}

function listOf(kind: Kind): string {
  return `the ${kind.replace('_', ' ')} list of the server`;
}

function malformed(kind: Kind, how: string): PortcullisError {
  return new PortcullisError('REQUEST_INVALID', `${listOf(kind)} ${how}`);
}

function tooMany(kind: Kind, items_max: number): PortcullisError {
  return new PortcullisError('REQUEST_TOO_LARGE', `${listOf(kind)} has more than ${items_max}`);
}
