/** `portcullis evidence redact`: removes what records seal, from a log that no service writes. */
import { schemaFaultText } from '../contract/fault_text.ts';
import type { RedactionRequest } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { SETTINGS } from '../config/settings.ts';
import { PortcullisError } from '../errors.ts';
import { nodeFiles } from '../evidence/files.ts';
import type { EvidenceSettings } from '../evidence/group_commit_log.ts';
import { openStoppedLog } from '../evidence/stopped_log.ts';
import { createLogger } from '../telemetry/create_logger.ts';
import { CLOCK, RANDOM_BYTES } from './ambient.ts';
import { print, printJson, type Terminal } from './terminal.ts';

export interface RedactOptions {
  /** Folder of the log. */
  log: string;
  subject?: string;
  tenant?: string;
  /** An index or an evaluation id. */
  record?: string;
  before?: string;
  /** Names of groups, with commas between them. */
  only?: string;
  json?: true;
}

export async function runRedact(options: RedactOptions, terminal: Terminal): Promise<number> {
  const { by, only } = readRequest(options);
  const log = await openStoppedLog({
    directory: options.log,
    clock: CLOCK,
    randomness: RANDOM_BYTES,
    files: nodeFiles,
    settings: USUAL,
    log: createLogger({ level: 'warn' }, terminal.stderr),
  });
  try {
    const caller = `uid:${process.getuid?.() ?? 'unknown'}`;
    const { index, records } = await log.redact({ caller, by, ...(only && { only }) });
    if (options.json) printJson(terminal, { index, records });
    else print(terminal, `redacted ${records} records, as record ${index} says`);
  } finally {
    await log.close();
  }
  return 0;
}

/** Throws `ARGUMENT_INVALID`. */
function readRequest({ subject, tenant, record, before, only }: RedactOptions): RedactionRequest {
  const place =
    record !== undefined && /^(0|[1-9]\d{0,14})$/.test(record) ? Number(record) : record;
  const by = { subject, tenant, record: place, before };
  const given = Object.entries(by).filter(([, value]) => value !== undefined);
  if (given.length === 0) {
    throw invalid('say which records: --subject, --tenant, --record or --before');
  }
  const read = VALIDATORS.redaction_request({
    by: Object.fromEntries(given),
    ...(only !== undefined && { only: only.split(',') }),
  });
  if (!read.ok) throw invalid(`what to redact cannot be used: ${schemaFaultText(read.fault)}`);
  return read.value;
}

/** A log that is opened for this only has no use for settings of its own. */
const USUAL = Object.fromEntries(
  SETTINGS.filter(({ path }) => path[0] === 'evidence').map(({ path, rule }) => [
    path[1],
    rule.default,
  ]),
) as unknown as EvidenceSettings;

function invalid(message: string): PortcullisError {
  return new PortcullisError('ARGUMENT_INVALID', message);
}
