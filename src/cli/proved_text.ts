/** What was proved, in a sentence. Names in it were signed, and are still somebody else's text. */
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { printable } from '../telemetry/printable.ts';
import type { TrustedCheckpoint } from '../verify/checkpoint.ts';
import type { Fault } from '../verify/fault.ts';
import type { ProvedRecord } from '../verify/receipt.ts';

/** Who, what, which decision, where, what is not shown of it, and who saw it when. */
export function provedText({ record, sealed, checkpoint }: ProvedRecord): string {
  const place = `record ${record.index} of ${checkpoint.size} in the log ${checkpoint.origin}`;
  const not_shown = sealed.length === 0 ? '' : `; sealed: ${sealed.join(', ')}`;
  return printable(`${place}: ${recordText(record)}${not_shown}; ${witnessText(checkpoint)}`);
}

export function faultText({ code, detail }: Fault): string {
  return printable(`${code}: ${detail}`);
}

export function witnessText({ cosignatures, not_checked }: TrustedCheckpoint): string {
  const seen = cosignatures.map(({ key, time_s }) => `${key.name} at ${timeOf(time_s)}`);
  const cosigned = seen.length === 0 ? 'cosigned by nobody who was asked for' : 'cosigned by ';
  const unchecked = not_checked.length === 0 ? '' : `; not checked: ${not_checked.join(', ')}`;
  return printable(`${cosigned}${seen.join(', ')}${unchecked}`);
}

/** RFC 3339, in whole seconds. */
export function timeOf(time_s: number | undefined): string {
  return new Date((time_s ?? 0) * 1000).toISOString().replace('.000Z', 'Z');
}

function recordText(record: EvidenceRecord): string {
  const { kind, time, instance, request, outcome, reason_code } = record;
  const who = request?.subject.id ?? instance;
  const resource = request?.resource;
  const named = resource ? ` on ${resource.type} ${withServer(resource)}` : '';
  const what = request ? ` asked for ${request.action}${named}` : '';
  const answer = outcome ?? (record.decision === undefined ? undefined : String(record.decision));
  const decided = answer === undefined ? '' : ` and was answered ${answer}`;
  const reason = reason_code === undefined ? '' : ` (${reason_code})`;
  return `${kind} at ${time}: ${who}${what}${listText(record)}${decided}${reason}`;
}

function withServer({ server, id }: { server?: string; id: string }): string {
  return server === undefined ? id : `${server}/${id}`;
}

function listText({ shown, withheld }: EvidenceRecord): string {
  if (!shown && !withheld) return '';
  return `, was shown ${shown?.length ?? 0} and not shown ${withheld?.length ?? 0}`;
}
