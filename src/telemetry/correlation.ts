/** The id that ties the lines, records and answers of one request together. */
import type { Random } from '../contract/ambient.ts';

/** Visible ASCII, so that it can stand in a header, a log line and a record. */
const ACCEPTABLE = /^[\x21-\x7e]{1,128}$/;

/** The id that the caller gave, if it is short and harmless; else a new one. */
export function correlationId(given: unknown, random: Random): string {
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : random.id();
}
