/** A real service with exports: killed in the middle of an outage, and behind a dead receiver. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readEvidence } from '../../src/evidence/read.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { openReceiver, type Receiver } from '../evidence/exports/receiver.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { serve, type Serving } from './fixture.ts';
import { QUESTION, startLoad } from './load.ts';

const BUNDLE = fileURLToPath(new URL('../../bundles/payments.tar.gz', import.meta.url));
const CALLERS = 8;
/** More by `KILLS=200`. */
const KILLS = Math.ceil(Number(process.env.KILLS ?? 20) / 5);

let folder: ReturnType<typeof privateFolder>;
let collector: Receiver;
const started: Serving[] = [];
beforeEach(async () => {
  folder = privateFolder();
  collector = await openReceiver();
});
afterEach(async () => {
  for (const service of started.splice(0)) {
    if (service.child.exitCode === null && service.child.signalCode === null) {
      await service.stop('SIGKILL');
    }
  }
  await collector.away();
  folder.remove();
});

async function start(more: object = {}): Promise<Serving> {
  const config = join(folder.path, 'portcullis.yaml');
  const quick = { interval_ms: 10, retry_interval_ms: 20, retry_interval_ms_max: 50, ...more };
  const exports = [
    { name: 'collector', type: 'otel_logs', url: collector.url, ...quick },
    { name: 'opa', type: 'opa_decision_log', url: collector.url, ...quick, required: false },
    { name: 'lines', type: 'jsonl', ...quick, required: false },
  ];
  const settings = {
    state: join(folder.path, 'state'),
    policy: { bundle: BUNDLE },
    pdp: { listen: '127.0.0.1:0' },
    evidence: { exports },
  };
  writeFileSync(config, JSON.stringify(settings));
  const service = await serve('--config', config);
  started.push(service);
  return service;
}

/** Indices of the records that came over a path, in the order in which they came. */
function received(path: string): number[] {
  const bodies = collector.taken.filter((post) => post.path === path).map(({ body }) => body);
  const text = JSON.stringify(bodies);
  const shape =
    path === '/logs' ? /"evidence_index":"(\d+)"/g : /index","value":{"intValue":"(\d+)"/g;
  return [...text.matchAll(shape)].map(([, index]) => Number(index));
}

async function recorded(): Promise<{ all: number[]; decisions: number[] }> {
  const all: number[] = [];
  const decisions: number[] = [];
  for await (const { index, kind } of readEvidence(join(folder.path, 'state/evidence'))) {
    all.push(index);
    if (kind === 'decision' || kind === 'discovery') decisions.push(index);
  }
  return { all, decisions };
}

const distinct = (indices: number[]): number[] => [...new Set(indices)].sort((a, b) => a - b);

test(
  'after kill -9 in the middle of outages every receiver has every record',
  async () => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const service = await start();
      const load = startLoad(service, CALLERS, () => QUESTION);
      await load.more(60);
      const before = collector.posted.length;
      await collector.until(() => collector.posted.length > before);
      if (kill % 2 === 0) await collector.away();
      await load.more(60);
      await service.stop('SIGKILL');
      await load.stop();
      if (kill % 2 === 0) await collector.back();
    }
    const last = await start();
    const { all, decisions } = await recorded();
    const newest = decisions.at(-1)!;
    await collector.until(
      () => received('/logs').includes(newest) && received('/v1/logs').includes(all.at(-1)!),
    );
    expect(await last.stop('SIGTERM')).toBe(0);
    const after = await recorded();
    expect(distinct(received('/logs'))).toEqual(after.decisions);
    expect(distinct(received('/v1/logs'))).toEqual(after.all);
    const lines = readFileSync(join(folder.path, 'state/exports/lines.jsonl'), 'utf8');
    const written = lines.trimEnd().split('\n');
    const indices = written.map((line) => (JSON.parse(line) as { index: number }).index);
    expect(distinct(indices)).toEqual(after.all);
    expect(decisions.length).toBeGreaterThan(KILLS * 100);
  },
  (60 + KILLS * 15) * 1_000,
);

async function ask(service: Serving, path: string): Promise<Response> {
  const [token] = readTokens(service.token_file);
  return fetch(`${service.url}${path}`, { headers: { authorization: `Bearer ${token!.token}` } });
}

test('a service decides while its receivers hang, and tells how far behind they are', async () => {
  collector.act(() => true);
  const service = await start();
  const load = startLoad(service, CALLERS, () => QUESTION);
  await load.more(200);
  await load.stop();
  expect(load.failures).toEqual([]);
  const told = (await (await ask(service, '/v1/status')).json()) as {
    exports: { name: string; lag_records: number }[];
  };
  expect(told.exports.map(({ name }) => name)).toEqual(['collector', 'opa', 'lines']);
  expect(told.exports[0]!.lag_records).toBeGreaterThanOrEqual(200);
  expect(await (await ask(service, '/health')).json()).toEqual({ live: true, ready: true });
}, 60_000);

test('a required receiver that is away ends decisions at its lag, until it is back', async () => {
  collector.act(() => true);
  const service = await start({ required: true, lag_records_max: 20, timeout_ms: 200 });
  const load = startLoad(service, 1, () => QUESTION);
  await load.more(40);
  const statuses = load.replies.map(({ status }) => status);
  expect(statuses).toContain(503);
  expect(statuses.indexOf(503)).toBeLessThanOrEqual(21);
  expect((await ask(service, '/health/ready')).status).toBe(503);
  collector.act(undefined);
  await collector.until(() => received('/v1/logs').length > 20);
  while ((await ask(service, '/health/ready')).status !== 200);
  const refused = load.replies.length;
  await load.more(5);
  await load.stop();
  expect(load.replies.slice(refused).map(({ status }) => status)).toContain(200);
}, 60_000);
