/** `portcullis evidence show`: one record in full, and what belongs to the same request. */
import type { EvidenceRecord } from '../../contract/types.gen.ts';
import { PortcullisError } from '../../errors.ts';
import { type Field, valuesOf } from '../../evidence/index/fields.ts';
import { printable } from '../../telemetry/printable.ts';
import { print, printJson, styled, type Terminal } from '../terminal.ts';
import { recordLines } from './record_text.ts';
import type { RecordSource } from './record_source.ts';

/** More than belong to one request; those that come first are shown. */
const RELATED_MAX = 200;

const INDEX = /^(0|[1-9]\d{0,14})$/;

export async function showRecord(
  source: RecordSource,
  name: string,
  { json }: { json?: true },
  terminal: Terminal,
): Promise<number> {
  const record = await findRecord(source, name);
  if (!record) {
    const message = `the log has no record \`${printable(name)}\`: name an index or evaluation id`;
    throw new PortcullisError('ARGUMENT_INVALID', message);
  }
  const related = await relatedTo(source, record);
  if (json) {
    printJson(terminal, { record, related });
    return 0;
  }
  const { stdout } = terminal;
  print(terminal, JSON.stringify(record, undefined, 2).split('\n').map(printable).join('\n'));
  print(terminal, `\n${styled(stdout, 'bold', 'of the same request, in order')}`);
  for (const [at, line] of recordLines(related, stdout).entries()) {
    print(terminal, `${related[at]?.index === record.index ? '>' : ' '} ${line}`);
  }
  return 0;
}

/** By its place; else the one of that id that was decided, or the first. */
async function findRecord(source: RecordSource, name: string): Promise<EvidenceRecord | undefined> {
  if (INDEX.test(name)) return source.record(Number(name));
  const found = await having(source, 'evaluation_id', [name]);
  return found.find(({ kind }) => kind !== 'outcome') ?? found[0];
}

/** Those of its trace, and of the evaluations in it, by their places. */
async function relatedTo(source: RecordSource, record: EvidenceRecord): Promise<EvidenceRecord[]> {
  const found = new Map([[record.index, record]]);
  const keep = (records: readonly EvidenceRecord[]): void => {
    for (const each of records) found.set(each.index, each);
  };
  keep(await having(source, 'trace_id', valuesOf(record, 'trace_id')));
  const evaluations = [...found.values()].flatMap((each) => valuesOf(each, 'evaluation_id'));
  keep(await having(source, 'evaluation_id', [...new Set(evaluations)]));
  return [...found.values()].sort((one, other) => one.index - other.index);
}

async function having(
  source: RecordSource,
  field: Field,
  values: readonly string[],
): Promise<readonly EvidenceRecord[]> {
  if (values.length === 0) return [];
  const filter = { fields: { [field]: values } };
  return (await source.page({ filter, order: 'oldest', limit: RELATED_MAX })).records;
}
