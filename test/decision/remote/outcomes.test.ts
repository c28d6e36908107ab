/** Outcomes over HTTP: what is recorded, what may be sent again, and what never helps to. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { OutcomeBatch } from '../../../src/contract/types.gen.ts';
import { PortcullisError } from '../../../src/errors.ts';
import { recordingCore, start } from '../../pdp/fixture.ts';
import { pretendAnswer, remote } from './fixture.ts';

const BATCH: OutcomeBatch = {
  outcomes: [{ evaluation_id: 'e-1', status: 'executed' }],
  unreported: [{ id: 'loss', count: 2, cause: 'full' }],
};

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'recorded',
    (error: PortcullisError) => error.code,
  );
}

test('a batch is handed to the core whole', async () => {
  const core = recordingCore();
  const { url } = keep(await start(core));
  await keep(remote({ url })).deliver(BATCH);
  expect(core.asked.map(({ body }) => body)).toEqual([BATCH]);
});

describe('where the service refuses', () => {
  test.each([
    ['REQUEST_INVALID', 'OUTCOME_REFUSED'],
    ['REQUEST_TOO_LARGE', 'OUTCOME_REFUSED'],
    ['EVIDENCE_UNWRITABLE', 'DECISION_POINT_UNREACHABLE'],
    ['OVERLOADED', 'DECISION_POINT_UNREACHABLE'],
    ['INTERNAL', 'DECISION_POINT_UNREACHABLE'],
  ] as const)('with %s a guard hears %s', async (code, heard) => {
    const outcome = () => Promise.reject(new PortcullisError(code, 'refused'));
    const { url } = keep(await start(recordingCore({ outcome })));
    expect(await codeOf(keep(remote({ url })).deliver(BATCH))).toBe(heard);
  });
});

test('a stranger on the port cannot say that an outcome is refused for good', async () => {
  const body = { error: { code: 'REQUEST_INVALID', message: 'no' } };
  const { url } = keep(await pretendAnswer(400, body));
  expect(await codeOf(keep(remote({ url })).deliver(BATCH))).toBe('DECISION_POINT_UNPROVED');
});

test("nor can anything between, in words that are not the service's", async () => {
  const { url } = keep(await pretendAnswer(413, 'too large'));
  expect(await codeOf(keep(remote({ url })).deliver(BATCH))).toBe('DECISION_POINT_UNREACHABLE');
});
