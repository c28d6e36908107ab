/** Reading records for others: what they are given is text already. */
import type { EvidenceIndex, RecordQuery } from './evidence_index.ts';
import { type RecordFilter, meets } from './fields.ts';

/** Rejects as `EvidenceIndex` does, and with `OVERLOADED` where it takes too long. */
export interface RecordReading {
  /** A page as JSON: `records` and `next`. */
  page(query: RecordQuery): Promise<Uint8Array>;
  /** A record as JSON; undefined where there is none at that place that meets the filter. */
  record(index: number, filter: RecordFilter): Promise<Uint8Array | undefined>;
  /** The place of the decision or list of that id; undefined where none meets the filter. */
  find(evaluation_id: string, filter: RecordFilter): Promise<number | undefined>;
}

/** More than one decision has no id; outcomes of it may come often. */
const SAME_ID_MAX = 100;

export function readingOf(index: EvidenceIndex): RecordReading {
  return {
    page: async (query) => Buffer.from(JSON.stringify(await index.page(query))),
    async record(place, filter) {
      const found = await index.record(place);
      if (!found || !meets(found.record, filter)) return undefined;
      return Buffer.from(JSON.stringify(found.record));
    },
    async find(evaluation_id, { fields, ...times }) {
      const filter = { ...times, fields: { ...fields, evaluation_id: [evaluation_id] } };
      const { records } = await index.page({ filter, order: 'oldest', limit: SAME_ID_MAX });
      return records.find(({ kind }) => kind !== 'outcome')?.index;
    },
  };
}
