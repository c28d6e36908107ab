/**
 * Ruling R19: a decision that cannot be recorded is not given, in whichever way it is asked for,
 * whatever keeps it from being recorded, and wherever the core stands.
 */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import type { ActivePolicy, DecisionCore } from '../../src/decision/types.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { send, start } from '../pdp/fixture.ts';
import { embedded } from '../pep/support/real.ts';
import { asking, CALLER, callOf, codeOf, echoScene, sceneWith } from '../support/decisions.ts';
import { ENTRY, openLog } from '../support/evidence_log.ts';
import { fakeDisk, type Fault } from '../support/fake_disk.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { CALL, LIST, remote } from './remote/fixture.ts';
import { WAYS } from './ways.ts';

const ALLOW = { decision: 'allow' };

let policy: ActivePolicy;
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

/** A log on a disk that fails so, with the first record after it was opened. */
const failing = (fault?: Fault) => async (): Promise<EvidenceLog> => {
  const files = fakeDisk(seededRandom(1));
  const log = keep(await openLog('/evidence', { files }));
  if (fault) files.failAfter(0, fault);
  return log;
};

/** A log with as many records that wait for the disk as may wait. */
async function busy(): Promise<EvidenceLog> {
  const files = fakeDisk(seededRandom(1));
  const log = keep(await openLog('/evidence', { files, settings: { queue_records_max: 2 } }));
  const fill = (): void => {
    for (let i = 0; i < 2; i += 1) log.append(ENTRY).catch(() => undefined);
  };
  return {
    // Full again whenever somebody comes.
    append: (entry) => {
      fill();
      return log.append(entry);
    },
    status: () => log.status(),
    close: () => log.close(),
  };
}

async function closed(): Promise<EvidenceLog> {
  const log = await failing()();
  await log.close();
  return log;
}

const LOGS: readonly [string, () => Promise<EvidenceLog>][] = [
  ['the disk is full', failing('ENOSPC')],
  ['the disk is read-only', failing('EROFS')],
  ['the disk fails', failing('EIO')],
  ['too many records wait', busy],
  ['the log is closed', closed],
];

const coreOver = (evidence: EvidenceLog): DecisionCore =>
  sceneWith(policy, evidence, async () => []).core;

describeWithOpa('a decision that cannot be recorded', () => {
  beforeAll(async () => {
    ({ policy } = await echoScene());
  });

  test.each(WAYS)('is one that is given where it can be: $what', async ({ ask }) => {
    expect(await ask(coreOver(await failing()()), {}, CALLER)).toMatchObject({
      evaluation_id: expect.any(String),
    });
  });

  describe.each(LOGS)('where %s', (_why, open) => {
    test.each(WAYS)('[E-23] is not given to $what', async ({ ask }) => {
      expect(await codeOf(ask(coreOver(await open()), {}, CALLER))).toBe('EVIDENCE_UNWRITABLE');
    });

    test('[E-23] is not given though the policy allows', async () => {
      const core = coreOver(await open());
      expect(await codeOf(core.evaluation(asking(ALLOW), CALLER))).toBe('EVIDENCE_UNWRITABLE');
    });

    test('[E-23] is not given over HTTP, by any route', async () => {
      const { url } = keep(await start(coreOver(await open())));
      const sep = { subject: { principal: 'user:a' }, capability: { type: 'tool', name: 'x' } };
      const asked: [string, object][] = [
        ['/access/v1/evaluation', asking(ALLOW)],
        ['/access/v1/evaluations', { evaluations: [callOf(), callOf()] }],
        ['/access/v1/evaluations', LIST],
        ['/v1/decision', { ...sep, action: 'execute' }],
      ];
      for (const [path, body] of asked) {
        const { status, body: told } = await send(url, path, { body: JSON.stringify(body) });
        expect([path, status]).toEqual([path, 503]);
        expect(told).toMatchObject({ error: { code: 'EVIDENCE_UNWRITABLE' } });
      }
    });

    test.each<[string, (core: DecisionCore) => Promise<DecisionPoint>]>([
      ['in its own process', async (core) => keep(embedded(core))],
      [
        'beside a service',
        async (core) => keep(remote({ url: keep(await start(core)).url }, { timeout_ms: 5_000 })),
      ],
    ])('[E-23] is not given to a guard %s', async (_where, pointOver) => {
      const point = await pointOver(coreOver(await open()));
      for (const run of [point.decide(CALL), point.discover(LIST)]) {
        expect(['EVIDENCE_UNWRITABLE', 'DECISION_POINT_UNREACHABLE']).toContain(await codeOf(run));
      }
    });
  });
});
