/** Sends all records to an OpenTelemetry collector, as logs over OTLP/HTTP. */
import type { Clock } from '../../../contract/ambient.ts';
import { type HttpReceiver, postJson } from '../receiver.ts';
import type { ExportDriver } from '../types.ts';
import { attributesOf, otelLogRecord } from './event.ts';

export interface OtelLogsParts {
  receiver: HttpReceiver;
  /** Name of the instance that sends. */
  instance: string;
  /** Version of Portcullis. */
  version: string;
  /** Name of the log. */
  origin: string;
  clock: Clock;
}

const PATH = '/v1/logs';

export function otelLogs({ receiver, clock, ...names }: OtelLogsParts): ExportDriver {
  const resource = { attributes: resourceAttributes(names) };
  const scope = { name: 'portcullis.evidence', version: names.version };
  const head = `{"resource":${JSON.stringify(resource)},"scopeLogs":[`;
  const logs = `{"scope":${JSON.stringify(scope)},"logRecords":[`;
  return {
    format: (record) => JSON.stringify(otelLogRecord(record)),
    deliver(texts, signal) {
      const json = `{"resourceLogs":[${head}${logs}${texts.join(',')}]}]}]}`;
      return postJson(receiver, { path: PATH, json, signal }, clock, rejectedRecords);
    },
    close: () => receiver.close(),
  };
}

function resourceAttributes({
  instance,
  version,
  origin,
}: Omit<OtelLogsParts, 'receiver' | 'clock'>) {
  return [
    ...attributesOf('service', { name: 'portcullis', version }),
    ...attributesOf('service.instance', { id: instance }),
    ...attributesOf('portcullis.evidence', { origin }),
  ];
}

/** A collector that took part of a batch says how many not, and must not be asked again. */
function rejectedRecords(body: Uint8Array): number {
  try {
    const answer = JSON.parse(Buffer.from(body).toString('utf8')) as PartialSuccess | null;
    const rejected = Number(answer?.partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}

interface PartialSuccess {
  partialSuccess?: { rejectedLogRecords?: string | number };
}
