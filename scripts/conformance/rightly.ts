/** What the suite finds otherwise on a way to a fixture, and rightly so. */
import type { Way } from './fixtures.ts';
import type { Revision } from './suite.ts';

const JSON_ANSWER = 'the wrapper answers in JSON where nothing comes before the answer';

/** Each check with the reason; one that is found as without a guard must leave the table. */
export const RIGHTLY: Partial<
  Record<Way, Partial<Record<Revision, Readonly<Record<string, string>>>>>
> = {
  wrapped: {
    // The transport of a server may choose either; the suite then says that streams are optional.
    '2025-11-25': {
      'server-sse-multiple-streams: server-sse-streams-functional': JSON_ANSWER,
      'server-sse-polling: server-sse-priming-event': JSON_ANSWER,
      'server-sse-polling: server-sse-retry-field': JSON_ANSWER,
    },
  },
};
