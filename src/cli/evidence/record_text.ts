/** Records as lines for a person. All that stands in them is somebody else's text. */
import type { EvidenceRecord } from '../../contract/types.gen.ts';
import { printable } from '../../telemetry/printable.ts';
import { styled } from '../terminal.ts';

const STYLES: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  allow: 'green',
  deny: 'red',
  require_approval: 'yellow',
};

/** Index, time, kind, how it ended, who and what; the columns of all lines are as wide. */
export function recordLines(
  records: readonly EvidenceRecord[],
  stream: NodeJS.WritableStream,
): string[] {
  const rows = records.map((record) => cellsOf(record).map(printable));
  const widths = [0, 1, 2, 3].map((at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, at) => cell.padEnd(widths[at] ?? 0));
    const [index, time, kind, answer = '', what] = cells;
    const style = STYLES[(row[3] ?? '').split(' ')[0] ?? ''];
    const told = style ? styled(stream, style, answer) : answer;
    return `${index}  ${styled(stream, 'dim', time ?? '')}  ${kind}  ${told}  ${what}`.trimEnd();
  });
}

function cellsOf(record: EvidenceRecord): string[] {
  const { index, time, kind, outcome, status, reason_code } = record;
  const answer = [outcome ?? status, reason_code].filter((text) => text !== undefined).join(' ');
  return [String(index), time, kind, answer, whatOf(record)];
}

function whatOf({ request, detail, shown, withheld, evaluation_id }: EvidenceRecord): string {
  const resource = request?.resource;
  const place = resource && [resource.server, resource.id].filter(Boolean).join('/');
  const listed =
    shown || withheld ? `${shown?.length ?? 0} shown, ${withheld?.length ?? 0} not` : '';
  const asked = request && [request.subject.id, request.action, resource?.type, place, listed];
  const told = asked ?? [detail ?? (evaluation_id === undefined ? '' : `of ${evaluation_id}`)];
  return told.filter(Boolean).join(' ');
}
