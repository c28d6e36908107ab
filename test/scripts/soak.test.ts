/** The soak in a short form, and what it judges by, which must be able to say no. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { judgeEvidence, judgeMemory } from '../../scripts/soak/judge.ts';
import { EVALUATION_PATH, EVALUATIONS_PATH } from '../../scripts/soak/client.ts';
import { pickQuestion, toldBy, type Asked } from '../../scripts/soak/questions.ts';
import { openLog, temporaryDirectory } from '../support/evidence_log.ts';
import { seededRandom } from '../support/seeded_random.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/soak.ts');
const MEBIBYTE = 1_048_576;

test('six seconds of mixed load: all is right and recorded, and memory flat', async () => {
  const argv = [SCRIPT, '--seconds', '6', '--rate', '300', '--json'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, argv);
  expect(JSON.parse(stdout)).toMatchObject({
    passed: true,
    failures: [],
    wrong: 0,
    missing: 0,
    is_flat: true,
  });
  const { decided, reloads } = JSON.parse(stdout) as { decided: number; reloads: number };
  expect(decided).toBeGreaterThan(300);
  expect(reloads).toBeGreaterThan(2);
  expect(stderr).toMatch(/^\d+ s: \d+ asked, \d+ decided, 0 wrong, /m);
}, 60_000);

describe('memory', () => {
  const series = (bytes: (sample: number) => number): number[] =>
    Array.from({ length: 60 }, (_, sample) => bytes(sample) * MEBIBYTE);

  test.each<[string, number[], boolean]>([
    ['that stays', series(() => 150), true],
    ['that grows while it warms up, and stays', series((at) => Math.min(150, 90 + 4 * at)), true],
    ['with single peaks', series((at) => (at % 7 === 0 ? 400 : 150)), true],
    ['that grows without end', series((at) => 100 + 2 * at), false],
    ['that jumps in the last third', series((at) => (at < 40 ? 150 : 190)), false],
    ['of which there are no samples', [], false],
  ])('%s is judged', (_title, samples, is_flat) => {
    expect(judgeMemory(samples).is_flat).toBe(is_flat);
  });
});

test('what was told and is not recorded, or not so, is missing', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await log.append({ kind: 'decision', evaluation_id: 'a', outcome: 'allow' });
  await log.append({ kind: 'decision', evaluation_id: 'b', outcome: 'deny' });
  await log.append({ kind: 'discovery', evaluation_id: 'c' });
  await log.append({ kind: 'decision', evaluation_id: 'gone', outcome: 'deny' });
  await log.close();
  const told = new Map([
    ['a', 'allow'],
    ['b', 'allow'],
    ['c', 'discovery'],
    ['d', 'deny'],
  ]);
  expect(await judgeEvidence(directory, told)).toEqual({
    records: 4,
    missing: ['b', 'd'],
    untold: 1,
  });
});

/** Some hundred questions, of which each kind is one. */
function questions(): Asked[] {
  const random = seededRandom(1);
  return Array.from({ length: 2_000 }, () => pickQuestion((limit) => random.below(limit)));
}

const allow = { decision: true, context: { outcome: 'allow' } };
const reply = (status: number, body: unknown) => ({ status, evaluation_id: 'id', body });

test('no hostile question may be allowed, and no answer of a wrong status is right', () => {
  const asked = questions();
  const titles = new Set(asked.map(({ title }) => title));
  expect(titles.size).toBeGreaterThan(25);
  for (const question of asked) {
    expect(question.fault(reply(500, {}))).toContain('status 500');
    expect(question.fault(reply(503, {}))).toContain('status 503');
  }
  const takesAllow = asked.filter(({ fault }) => fault(reply(200, allow)) === undefined);
  expect(new Set(takesAllow.map(({ title }) => title))).toEqual(
    new Set(['a balance', 'the ledger, by the job', 'a transfer']),
  );
});

test('what was told stands under the id of a decision, a list, or each entry of a batch', () => {
  const [list] = questions().filter(({ title }) => title === 'a list');
  const one = { path: EVALUATION_PATH, body: '{}' };
  const many = { path: EVALUATIONS_PATH, body: '{}' };
  const entries = { evaluations: [allow, { decision: false, context: { outcome: 'deny' } }] };
  expect(toldBy(one, reply(200, allow))).toEqual([['id', 'allow']]);
  expect(toldBy(one, reply(200, { decision: 'deny' }))).toEqual([['id', 'deny']]);
  expect(toldBy(one, reply(400, {}))).toEqual([]);
  expect(toldBy(list!, reply(200, entries))).toEqual([['id', 'discovery']]);
  expect(toldBy(many, reply(200, entries))).toEqual([
    ['id#0', 'allow'],
    ['id#1', 'deny'],
  ]);
});
