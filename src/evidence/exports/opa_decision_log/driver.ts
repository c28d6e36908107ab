/** Sends decisions and lists to whatever collects the decision log of OPA servers. */
import type { Clock } from '../../../contract/ambient.ts';
import { type HttpReceiver, postJson } from '../receiver.ts';
import type { ExportDriver } from '../types.ts';
import { type OpaNames, opaEvent } from './event.ts';

export interface OpaDecisionLogParts extends OpaNames {
  receiver: HttpReceiver;
  /** Appended to the path, as `partition_name` of an OPA server is; null for none. */
  partition: string | null;
  clock: Clock;
}

export function opaDecisionLog(parts: OpaDecisionLogParts): ExportDriver {
  const { receiver, partition, clock } = parts;
  const path = partition === null ? '/logs' : `/logs/${partition}`;
  return {
    format(record) {
      const event = opaEvent(record, parts);
      return event && JSON.stringify(event);
    },
    deliver: (texts, signal) =>
      postJson(receiver, { path, json: `[${texts.join(',')}]`, signal }, clock),
    close: () => receiver.close(),
  };
}
