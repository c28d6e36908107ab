/** The decision core on a disk that fails at any step: who got an answer is in the evidence. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import type { ActivePolicy, DecisionCore, EvaluationAnswer } from '../../src/decision/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import {
  activate,
  asking,
  CALLER,
  ECHO,
  evidenceOnDisk,
  foreignBundle,
} from '../support/decisions.ts';
import { openLog, readAll } from '../support/evidence_log.ts';
import { FAULTS, type FakeDisk, type Fault, fakeDisk } from '../support/fake_disk.ts';
import { type SeededRandom, seededRandom } from '../support/seeded_random.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const DIRECTORY = '/evidence';
const LIVES = 4;
/** More by `SEEDS=10000`. */
const SEEDS = Number(process.env.SEEDS ?? 300);
/** A history takes some milliseconds, on a busy machine many. */
const TIMEOUT_MS = 30_000 + SEEDS * 200;
const DIGEST = `sha256:${'a'.repeat(64)}`;

interface World {
  disk: FakeDisk;
  random: SeededRandom;
  /** What a caller was told under each evaluation id: an outcome, or what a list showed. */
  answered: Map<string, string>;
  ids: number;
}

let policy: ActivePolicy;

function newWorld(seed: number): World {
  const random = seededRandom(seed);
  return { disk: fakeDisk(random), random, answered: new Map(), ids: 0 };
}

function open({ disk }: World): Promise<EvidenceLog> {
  return openLog(DIRECTORY, { files: disk, settings: { segment_bytes_max: 6_000 } });
}

function coreOf(world: World, evidence: EvidenceLog): DecisionCore {
  return createDecisionCore({
    evaluator: { current: () => policy, watch: () => () => undefined },
    evidence,
    clock: { now_ms: () => 0 },
    random: { id: () => `id-${(world.ids += 1)}` },
    settings: {
      instance: 'one',
      sep_server: 'default',
      batch_items_max: 10,
      batch_bytes_max: 1_048_576,
    },
  });
}

const LIST = {
  subject: { type: 'identity', id: 'user:alice@example.com' },
  action: { name: 'tools/list' },
  context: { profile: 'mcp/1', phase: 'discovery' },
  evaluations: ['shown', 'hidden'].map((id) => ({
    resource: { type: 'tool', id, properties: { server: 'payments' } },
  })),
  options: { portcullis: { discovery: { catalogue_digest: DIGEST } } },
};

/** A question of some kind, and what its answer tells, by evaluation id. */
async function ask(core: DecisionCore, random: SeededRandom): Promise<[string, string][]> {
  const entry = () => asking(random.pick([{ decision: 'allow' }, { decision: 'deny' }, 'odd']));
  const outcomeOf = (body: unknown) => (body as { context: { outcome: string } }).context.outcome;
  const kinds: (() => Promise<[string, string][]>)[] = [
    async () => {
      const { body, evaluation_id } = await core.evaluation(entry(), CALLER);
      return [[evaluation_id, outcomeOf(body)]];
    },
    async () => {
      const evaluations = Array.from({ length: 1 + random.below(4) }, entry);
      const { body, evaluation_id }: EvaluationAnswer = await core.evaluations(
        { evaluations },
        CALLER,
      );
      const answers = (body as { evaluations: unknown[] }).evaluations;
      return answers.map((answer, i) => [`${evaluation_id}#${i}`, outcomeOf(answer)]);
    },
    async () => {
      const { evaluation_id } = await core.evaluations(LIST, CALLER);
      return [[evaluation_id, 'shown']];
    },
  ];
  return random.pick(kinds)();
}

async function askSome({ random, answered }: World, core: DecisionCore): Promise<void> {
  const questions = Array.from({ length: 1 + random.below(5) }, async () => {
    for (const [id, told] of await ask(core, random)) answered.set(id, told);
  });
  for (const result of await Promise.allSettled(questions)) {
    if (result.status === 'rejected') expect(codeOf(result.reason)).toBe('EVIDENCE_UNWRITABLE');
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof PortcullisError ? error.code : error;
}

/** One process: decides until the disk fails or it had enough, and ends somehow. */
async function live(world: World, fault: Fault | undefined, skip: number): Promise<void> {
  const { disk, random } = world;
  if (fault) disk.failAfter(skip, fault);
  const evidence = await open(world).catch((error: unknown) => {
    if (codeOf(error) !== 'EVIDENCE_UNWRITABLE' || !fault) throw error;
    return undefined;
  });
  if (evidence) {
    const core = coreOf(world, evidence);
    for (let group = 0; core.status().ready && group < 6; group += 1) await askSome(world, core);
    if (random.chance(0.5)) await evidence.close();
  }
  disk.restart(fault !== 'kill' && random.chance(0.7) ? 'power_loss' : 'kill');
}

/** What was answered and does not stand in the evidence as it was answered, exactly once. */
async function lost(world: World): Promise<string[]> {
  await (await open(world)).close();
  const recorded = new Map<string, string[]>();
  for (const record of await readAll(DIRECTORY, { files: world.disk })) {
    const id = record.evaluation_id ?? '';
    recorded.set(id, [...(recorded.get(id) ?? []), toldBy(record)]);
  }
  return [...world.answered]
    .filter(([id, told]) => recorded.get(id)?.join() !== told)
    .map(([id]) => id);
}

function toldBy({ kind, outcome, shown }: EvidenceRecord): string {
  return kind === 'discovery' ? (shown ?? []).map(({ id }) => id).join() : String(outcome);
}

describeWithOpa('a core on a failing disk', () => {
  beforeAll(async () => {
    const { evidence } = await evidenceOnDisk();
    policy = await activate(await foreignBundle(ECHO, ['echo/result']), evidence);
  });

  test(
    `[E-23] what a caller was answered is in the evidence, ${SEEDS} histories`,
    async () => {
      let answered = 0;
      for (let seed = 0; seed < SEEDS; seed += 1) {
        const world = newWorld(seed);
        for (let life = 0; life < LIVES; life += 1) {
          const fault = world.random.chance(0.9) ? world.random.pick(FAULTS) : undefined;
          await live(world, fault, world.random.below(25));
        }
        expect({ seed, lost: await lost(world) }).toEqual({ seed, lost: [] });
        answered += world.answered.size;
      }
      expect(answered).toBeGreaterThan(SEEDS);
    },
    TIMEOUT_MS,
  );

  describe.each(FAULTS)('%s at each operation in turn', (fault) => {
    test('[E-23] takes back nothing that was answered', async () => {
      const quiet = newWorld(1);
      await live(quiet, undefined, 0);
      expect(quiet.disk.changes).toBeGreaterThan(10);
      for (let skip = 0; skip < quiet.disk.changes; skip += 1) {
        const world = newWorld(1);
        await live(world, fault, skip);
        await live(world, undefined, 0);
        expect({ skip, lost: await lost(world) }).toEqual({ skip, lost: [] });
      }
    });
  });
});
