/** What other modules know of logging; they are handed one and never make their own. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

/** Structured fields of a line. Values of requests do not belong here; digests and names do. */
export type LogFields = Record<string, unknown>;
