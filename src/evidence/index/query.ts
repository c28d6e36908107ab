/** What somebody looks for, as it is written in options and in the query of a URL. */
import { type Field, FIELD_NAMES, type RecordFilter } from './fields.ts';

/** Values by their names, each at least once. */
export type QueryValues = Readonly<Record<string, readonly string[]>>;

const NAMES: ReadonlySet<string> = new Set(FIELD_NAMES);
const TIMES = { from: 'from_ms', to: 'to_ms' } as const;

/** RFC 3339, with an offset or in UTC. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/**
 * Values that a record has, and `from` (the first time that counts) and `to` (the first that counts
 * no more). A value of a field that is given again is another that is looked for.
 */
export function readFilter(values: QueryValues): RecordFilter | { fault: string } {
  const fields: Partial<Record<Field, readonly string[]>> = {};
  const times: { from_ms?: number; to_ms?: number } = {};
  for (const [name, given] of Object.entries(values)) {
    if (NAMES.has(name)) {
      fields[name as Field] = given;
    } else if (Object.hasOwn(TIMES, name)) {
      const [text = '', ...more] = given;
      const time_ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
      if (more.length > 0) return { fault: `\`${name}\` is given twice` };
      if (Number.isNaN(time_ms)) {
        return { fault: `\`${name}\` is no time such as 2026-11-01T10:00:00Z` };
      }
      times[TIMES[name as keyof typeof TIMES]] = time_ms;
    } else {
      const known = [...FIELD_NAMES, ...Object.keys(TIMES)].join(', ');
      return { fault: `\`${name}\` is no filter; these are: ${known}` };
    }
  }
  return { fields, ...times };
}
