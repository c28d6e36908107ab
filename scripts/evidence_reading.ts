/**
 * How long a filtered page of evidence takes: `node scripts/evidence_reading.ts 1000000` writes a
 * log of so many records to a temporary folder, indexes it and walks through pages of 50.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EvidenceIndex } from '../src/evidence/index/evidence_index.ts';
import type { RecordFilter } from '../src/evidence/index/fields.ts';
import { formatFlush } from '../src/evidence/line.ts';
import { sealRecord } from '../src/evidence/seal.ts';
import { quantile } from './bench/statistics.ts';

const START_MS = Date.UTC(2027, 0, 1);
const SEGMENT_RECORDS = 65_536;
const FLUSH_RECORDS = 64;
const SALT_CHARACTERS = 22;

/** Mulberry32, so that each run has the same log. */
let state = 1;
function below(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

function recordOf(index: number): Parameters<typeof sealRecord>[0] {
  const digest = `sha256:${'0'.repeat(64)}`;
  return {
    v: 1,
    index,
    time: new Date(START_MS + index * 100).toISOString(),
    instance: 'main',
    kind: 'decision',
    caller: 'default',
    evaluation_id: `evaluation-${index}`,
    outcome: below(10) > 0 ? 'allow' : 'deny',
    reason_code: below(10) > 0 ? 'ALLOWED' : 'GRANT_ABSENT',
    visible: true,
    constraints: {},
    obligations: [],
    rules: ['mcp.rules.payments.transfer_limit'],
    policy: { revision: '100b2bb44ea4', digest },
    profile: 'mcp/1',
    request: {
      subject: { id: `user:u${below(10_000)}@example.com`, tenant: `t${below(20)}` },
      action: 'tools/call',
      agent: `agent-${below(50)}`,
      surface: 'ide',
      environment: 'production',
      phase: 'call',
      resource: { type: 'tool', id: `tool-${below(200)}`, server: `server-${below(10)}` },
      request_id: index % 1000,
      arguments_digest: `hmac-${digest.replace('sha256:', 'sha256:key:')}`,
      traceparent: `00-${index.toString(16).padStart(32, '0')}-00f067aa0ba902b7-01`,
    },
  };
}

const salt = (): string => randomBytes(17).toString('base64url').slice(0, SALT_CHARACTERS);

function writeLog(directory: string, count: number): void {
  mkdirSync(directory);
  for (let first = 0; first < count; first += SEGMENT_RECORDS) {
    const flushes: Buffer[] = [];
    const end = Math.min(count, first + SEGMENT_RECORDS);
    for (let from = first; from < end; from += FLUSH_RECORDS) {
      const length = Math.min(FLUSH_RECORDS, end - from);
      flushes.push(
        formatFlush(Array.from({ length }, (_, at) => sealRecord(recordOf(from + at), salt))).bytes,
      );
    }
    const name = `${String(first).padStart(16, '0')}.log`;
    writeFileSync(join(directory, name), Buffer.concat(flushes));
  }
}

/** From a value that all records have to one that none has. */
function filters(count: number): Record<string, RecordFilter> {
  const at = (share: number): number => START_MS + Math.floor(count * share) * 100;
  const trace = Math.floor(count / 3)
    .toString(16)
    .padStart(32, '0');
  return {
    everything: { fields: {} },
    subject: { fields: { subject: ['user:u77@example.com'] } },
    'subject and outcome': { fields: { subject: ['user:u42@example.com'], outcome: ['deny'] } },
    'three common values': {
      fields: { tenant: ['t3'], outcome: ['deny'], reason_code: ['GRANT_ABSENT'] },
    },
    'tool of a server': { fields: { resource_id: ['tool-17'], server: ['server-3'] } },
    trace: { fields: { trace_id: [trace] } },
    'time alone': { fields: {}, from_ms: at(0.5), to_ms: at(0.6) },
    'agent within a time': { fields: { agent: ['agent-7'] }, from_ms: at(0.3), to_ms: at(0.9) },
    nobody: { fields: { subject: ['nobody'] } },
  };
}

/** Milliseconds of each of the first pages, in both orders. */
async function timePages(index: EvidenceIndex, filter: RecordFilter): Promise<number[]> {
  const times: number[] = [];
  for (const order of ['newest', 'oldest'] as const) {
    let cursor: string | null | undefined;
    for (let page = 0; page < 12 && cursor !== null; page += 1) {
      const query = { filter, order, limit: 50, ...(cursor !== undefined && { cursor }) };
      const started = performance.now();
      cursor = (await index.page(query)).next;
      times.push(performance.now() - started);
    }
  }
  return times;
}

const count = Number(process.argv.at(-1)) || 1_000_000;
const folder = mkdtempSync(join(tmpdir(), 'portcullis-reading-'));
try {
  const directory = join(folder, 'log');
  writeLog(directory, count);
  const path = join(folder, 'index');
  const index = new EvidenceIndex({ directory, path, newKey: () => randomBytes(32) });
  const started = performance.now();
  await index.catchUp();
  const indexed_s = Math.round((performance.now() - started) / 100) / 10;
  const all: number[] = [];
  for (const [name, filter] of Object.entries(filters(count))) {
    const times = await timePages(index, filter);
    all.push(...times);
    console.log(`${name}: p95 ${quantile(times, 0.95).toFixed(1)} ms of ${times.length} pages`);
  }
  await index.close();
  const bytes = Math.round(statSync(path).size / count);
  console.log(`${count} records indexed in ${indexed_s} s, ${bytes} bytes each`);
  const [p50, p95] = [0.5, 0.95].map((share) => quantile(all, share).toFixed(1));
  console.log(`a page of 50: p50 ${p50} ms, p95 ${p95} ms`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
