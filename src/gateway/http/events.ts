/** Server-sent events, as far as MCP uses them (WHATWG HTML, section 9.2). */

/** One event of a stream. */
export interface ServerEvent {
  /** Undefined where the limit was exceeded, and nothing of it was kept. */
  data: Uint8Array | undefined;
}

/** What a reader needs to go on after the end of a stream. */
export interface Resumption {
  last_event_id: string | undefined;
  /** How long the server wants to be left alone. */
  retry_ms: number | undefined;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const FIELD_NAME_BYTES = 64;

/**
 * The events of type `message`, whole. `resumption` is kept up to date. A stream that ends within
 * an event ends before it.
 */
export async function* readEvents(
  source: AsyncIterable<Uint8Array>,
  size_bytes_max: number,
  resumption: Resumption,
): AsyncGenerator<ServerEvent> {
  let draft = new Draft();
  for await (const line of lines(source, size_bytes_max + FIELD_NAME_BYTES)) {
    if (line === undefined || line.length > 0) {
      draft.add(line, size_bytes_max, resumption);
      continue;
    }
    const event = draft.take();
    draft = new Draft();
    if (event) yield event;
  }
}

class Draft {
  #type = '';
  #data: Uint8Array[] = [];
  #size = 0;
  #isTooLarge = false;

  add(line: Uint8Array | undefined, size_bytes_max: number, resumption: Resumption): void {
    if (line === undefined) {
      this.#isTooLarge = true;
      return;
    }
    const colon = line.indexOf(0x3a);
    const name = Buffer.from(colon === -1 ? line : line.subarray(0, colon)).toString();
    const rest = colon === -1 ? new Uint8Array() : line.subarray(colon + 1);
    const value = rest[0] === 0x20 ? rest.subarray(1) : rest;
    const text = (): string => Buffer.from(value).toString();
    if (name === 'data') this.#append(value, size_bytes_max);
    else if (name === 'event') this.#type = text();
    else if (name === 'id' && !value.includes(0)) resumption.last_event_id = text();
    else if (name === 'retry' && /^\d{1,9}$/.test(text())) resumption.retry_ms = Number(text());
  }

  /** An event without data is none: a server may send one to tell its id alone. */
  take(): ServerEvent | undefined {
    if (this.#type !== '' && this.#type !== 'message') return undefined;
    if (this.#isTooLarge) return { data: undefined };
    const data = Buffer.concat(this.#data.flatMap((part) => [part, NEWLINES])).subarray(0, -1);
    return data.length === 0 ? undefined : { data };
  }

  #append(value: Uint8Array, size_bytes_max: number): void {
    this.#size += value.length + 1;
    if (this.#size > size_bytes_max + 1) {
      this.#isTooLarge = true;
      this.#data = [];
    }
    if (!this.#isTooLarge) this.#data.push(value);
  }
}

const NEWLINES = Buffer.from([NEWLINE]);

/** Lines that end in LF, CRLF or CR; undefined for one over the limit. */
async function* lines(
  source: AsyncIterable<Uint8Array>,
  size_bytes_max: number,
): AsyncGenerator<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let afterReturn = false;
  const keep = (part: Uint8Array): void => {
    size += part.length;
    if (size > size_bytes_max) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  for await (const chunk of source) {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte !== NEWLINE && byte !== RETURN) {
        afterReturn = false;
        continue;
      }
      const isRest = byte === NEWLINE && afterReturn;
      afterReturn = byte === RETURN;
      if (!isRest) {
        keep(chunk.subarray(from, at));
        yield size > size_bytes_max ? undefined : Buffer.concat(parts);
        parts = [];
        size = 0;
      }
      from = at + 1;
    }
    keep(chunk.subarray(from));
  }
}
