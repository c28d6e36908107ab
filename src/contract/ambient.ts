/** Time and chance are handed in, so that what uses them can be tested and replayed. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now_ms(): number;
}

export interface Random {
  /** A new identifier that was never given before (RFC 9562, UUID version 4). */
  id(): string;
}

/** As many bytes as asked for, that nobody can guess. */
export type RandomBytes = (count: number) => Uint8Array;
