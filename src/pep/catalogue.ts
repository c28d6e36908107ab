/**
 * The guard's own list of the server's tools: it asks the server itself, page by page, and does not
 * rely on what passed by for a client. A tool that is not here does not exist for anybody, and a
 * name that the server lists twice has no one meaning, so it is left out.
 */
import { digestOf } from '../contract/digest.ts';
import { PortcullisError } from '../errors.ts';
import { isObject, type JsonObject } from './message.ts';

export interface CatalogueItem {
  name: string;
  /** Digest of the definition as the server lists it. */
  digest: string;
  /** The definition as text, to recognise it again without hashing. */
  text: string;
  definition: JsonObject;
}

/** The tools at one moment; never changed. */
export interface Snapshot {
  items: ReadonlyMap<string, CatalogueItem>;
  /** Names that the server lists more than once. */
  doubled: ReadonlySet<string>;
  digest: string;
  /** False: the server has no tools at all, and does not know the methods. */
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
  readonly #items_max: number;
  #generation = 0;
  #snapshot: Snapshot | undefined;
  #reading: Promise<Snapshot> | undefined;

  constructor(items_max: number) {
    this.#items_max = items_max;
  }

  /** The server said that its tools changed, or they were seen to have. */
  invalidate(): void {
    this.#generation += 1;
    this.#snapshot = undefined;
  }

  /** The tools, read again if they changed. Rejects where the server's list cannot be had. */
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
      const snapshot = await readAll(list_page, this.#items_max);
      if (generation !== this.#generation) continue;
      this.#snapshot = snapshot;
      return snapshot;
    }
    throw new PortcullisError('INTERNAL', 'the tool list of the server does not come to rest');
  }
}

async function readAll(list_page: ListPage, items_max: number): Promise<Snapshot> {
  const items = new Map<string, CatalogueItem>();
  const doubled = new Set<string>();
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let count = 0;
  do {
    const result = await list_page(cursor);
    if (result === undefined) return { items, doubled, digest: digestOf([]), supported: false };
    const page = readPage(result);
    for (const tool of page.tools) {
      count += 1;
      if (count > items_max) throw tooMany(items_max);
      if (count % CHUNK === 0) await new Promise((resolve) => setImmediate(resolve));
      addItem(items, doubled, tool);
    }
    cursor = page.next;
    if (cursor !== undefined && cursors.has(cursor)) throw malformed('repeats a cursor');
    if (cursor !== undefined) cursors.add(cursor);
    if (cursors.size > items_max) throw tooMany(items_max);
  } while (cursor !== undefined);
  const digest = digestOf([...items.values()].map((item) => [item.name, item.digest]));
  return { items, doubled, digest, supported: true };
}

/** The tools of a page and its cursor. */
export function readPage(result: unknown): { tools: unknown[]; next: string | undefined } {
  if (!isObject(result)) throw malformed('is no object');
  const { tools, nextCursor } = result;
  if (!Array.isArray(tools)) throw malformed('has no array of tools');
  if (nextCursor === undefined) return { tools, next: undefined };
  if (typeof nextCursor !== 'string') throw malformed('has a cursor that is no text');
  return { tools, next: nextCursor };
}

function addItem(items: Map<string, CatalogueItem>, doubled: Set<string>, tool: unknown): void {
  const name = nameOf(tool);
  if (name === undefined || doubled.has(name)) return;
  if (items.delete(name)) {
    doubled.add(name);
    return;
  }
  const definition = tool as JsonObject;
  items.set(name, { name, digest: digestOf(tool), text: JSON.stringify(tool), definition });
}

/** The name of a listed tool; undefined where policy could not name it. */
export function nameOf(tool: unknown): string | undefined {
  if (!isObject(tool)) return undefined;
  const { name } = tool;
  if (typeof name !== 'string' || !name.isWellFormed()) return undefined;
  return name.length > 0 && name.length <= NAME_LENGTH_MAX ? name : undefined;
}

function malformed(how: string): PortcullisError {
  return new PortcullisError('REQUEST_INVALID', `the tool list of the server ${how}`);
}

function tooMany(items_max: number): PortcullisError {
  return new PortcullisError('REQUEST_TOO_LARGE', `the server lists more than ${items_max} tools`);
}
