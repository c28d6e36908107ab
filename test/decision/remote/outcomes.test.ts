/** Outcomes over HTTP: what is recorded, what may be sent again, and what never helps to. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OutcomeBatch, TurnedAwayReport } from '../../../src/contract/types.gen.ts';
import { PortcullisError } from '../../../src/errors.ts';
import { privateFolder, recordingCore, start } from '../../pdp/fixture.ts';
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

describe('over a socket, which proves itself by its folder', () => {
  let folder: ReturnType<typeof privateFolder>;
  let socket: string;
  beforeEach(() => {
    folder = privateFolder();
    socket = join(folder.path, 'pdp.sock');
  });
  afterEach(() => folder.remove());

  test.each(['REQUEST_INVALID', 'REQUEST_TOO_LARGE'])('a guard hears %s', async (code) => {
    keep(await pretendAnswer(400, { error: { code, message: 'no' } }, {}, socket));
    await expect(keep(remote({ socket })).deliver(BATCH)).rejects.toMatchObject({
      code: 'OUTCOME_REFUSED',
      message: `the decision point answered with status 400 and ${code}`,
    });
  });

  test('what is recorded is not refused, whatever else the answer says', async () => {
    const body = { error: { code: 'REQUEST_INVALID', message: 'no' } };
    keep(await pretendAnswer(200, body, {}, socket));
    expect(await codeOf(keep(remote({ socket })).deliver(BATCH))).toBe('recorded');
  });
});

test('a caller that was turned away is told to the core', async () => {
  const core = recordingCore();
  const { url } = keep(await start(core));
  const report: TurnedAwayReport = {
    status: 'turned_away',
    reason_code: 'TOKEN_EXPIRED',
    source: 'jwt',
    server: 'payments',
  };
  await keep(remote({ url })).turnedAway?.(report);
  expect(core.asked.map(({ body }) => body)).toEqual([report]);
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
