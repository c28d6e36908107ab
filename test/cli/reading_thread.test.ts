/** The thread that reads evidence for the service. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { openReading, type ReadingThread } from '../../src/cli/evidence/reading_thread.ts';
import { writeDecisions } from '../evidence/index/fixture.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';

const QUERY = { filter: { fields: {} }, order: 'oldest', limit: 10 } as const;

const opened: ReadingThread[] = [];
afterEach(async () => {
  for (const reading of opened.splice(0)) await reading.close();
});

function open(directory: string, path = `${directory}.index`): ReadingThread {
  const reading = openReading({ directory, path }, 60_000);
  opened.push(reading);
  return reading;
}

test('one that could not begin is told, and begun again by the next question', async () => {
  const place = join(temporaryDirectory(), 'later');
  const reading = open(await writeDecisions(3), join(place, 'index'));
  await expect(reading.page(QUERY)).rejects.toMatchObject({ code: 'INTERNAL' });
  mkdirSync(place);
  const page = JSON.parse(Buffer.from(await reading.page(QUERY)).toString()) as object;
  expect(page).toMatchObject({ records: [{ index: 0 }, { index: 1 }, { index: 2 }], next: null });
});

test('a fault of the question or of the log keeps its code', async () => {
  const reading = open(await writeDecisions(3));
  const forged = reading.page({ ...QUERY, cursor: 'forged' });
  await expect(forged).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  expect(await reading.find('evaluation-2', { fields: {} })).toBe(2);
  expect(await reading.record(3, { fields: {} })).toBeUndefined();
});

test('closing is done at once where nobody asked, and told to who waits', async () => {
  const reading = open(await writeDecisions(3));
  await reading.close();
  const waiting = reading.page(QUERY);
  const told = expect(waiting).rejects.toMatchObject({ code: 'INTERNAL' });
  await reading.close();
  await told;
});
