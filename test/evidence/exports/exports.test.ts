/** The log as it is handed on with exports, and exports that cannot be opened. */
import { expect, test } from '@jest/globals';
import { PortcullisError } from '../../../src/errors.ts';
import type { ExportDriver } from '../../../src/evidence/exports/types.ts';
import { readAll } from '../../support/evidence_log.ts';
import { decision, openScene } from './fixture.ts';

/** A driver that takes all, and keeps the kinds of what it took. */
function taking(): { kinds: string[]; open: () => ExportDriver } {
  const kinds: string[] = [];
  const open = (): ExportDriver => ({
    format: ({ kind }) => kind,
    async deliver(texts) {
      kinds.push(...texts);
      return { outcome: 'taken', rejected_records: 0 };
    },
    close: async () => {},
  });
  return { kinds, open };
}

const denied = Object.assign(new Error('EACCES: /out'), { code: 'EACCES' });
const locked = new PortcullisError('EXPORT_UNUSABLE', 'another process writes there');
const UNOPENED: [name: string, cause: Error, message: string][] = [
  ['the system does not let it', denied, 'the export `one` cannot be opened: this user may not'],
  ['its driver says why', locked, 'another process writes there'],
];

test.each(UNOPENED)(
  'one that cannot be opened because %s is stopped, and others go on',
  async (_name, cause, message) => {
    const { kinds, open } = taking();
    const scene = await openScene([
      { open: () => Promise.reject(cause) },
      { open, name: 'two', batch_records_max: 1 },
    ]);
    await scene.append(1);
    await scene.eventually(() => kinds.length > 0);
    expect(scene.exports.evidence.status().exports).toMatchObject([
      { name: 'one', stopped: true, lag_records: 1, problem: message },
      { name: 'two', stopped: false },
    ]);
    expect(scene.lines.filter(({ level }) => level === 'error')).toMatchObject([
      {
        level: 'error',
        message: 'an export of the evidence has stopped',
        fields: { export: 'one', error: { code: 'EXPORT_UNUSABLE', message } },
      },
    ]);
  },
);

test('a required one that cannot be opened refuses the start, and says why', async () => {
  const open = (): Promise<ExportDriver> => Promise.reject(denied);
  await expect(openScene([{ open, required: true }])).rejects.toMatchObject({
    code: 'EXPORT_UNUSABLE',
    message: 'the export `one` cannot be opened: this user may not',
    cause: denied,
  });
});

test('a redaction is done, and what is recorded of it is sent at once', async () => {
  const { kinds, open } = taking();
  const scene = await openScene([{ open }]);
  const { evidence } = scene.exports;
  await scene.append(1);
  await scene.eventually(() => evidence.status().exports?.[0]?.lag_records === 0);
  const redacted = await evidence.redact({ caller: 'main', by: { subject: 'user:ada' } });
  expect(redacted).toEqual({ index: 1, records: 1 });
  await scene.eventually(() => kinds.length > 1);
  expect(kinds).toEqual(['decision', 'redaction']);
});

test('who closes the log that is handed on closes the log', async () => {
  const scene = await openScene([taking()]);
  const { evidence } = scene.exports;
  await scene.append(1);
  await scene.exports.close();
  await evidence.close();
  await expect(scene.written.append(decision(2))).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
  });
  expect(await readAll(`${scene.directory}/evidence`)).toHaveLength(1);
});
