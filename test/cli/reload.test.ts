/** A real service whose bundle and data are replaced again and again while it decides. */
import { once } from 'node:events';
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EVALUATION_PATH, EVALUATIONS_PATH, type Question } from '../../scripts/soak/client.ts';
import { layPolicyData, readBundle } from '../../src/bundle/bundle.ts';
import { unpack, writeBundle } from '../../src/bundle/files.ts';
import type { EvaluationResponse, Status } from '../../src/contract/types.gen.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder, send, type Sent } from '../pdp/fixture.ts';
import { asking } from '../support/decisions.ts';
import { wasmOf } from '../support/policies.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { serve, type Serving } from './fixture.ts';
import { answeredIds, startLoad } from './load.ts';
import { DEFAULTS } from '../support/defaults.ts';

const CALLERS = 16;
/** More by `RELOADS=500`. */
const RELOADS = Number(process.env.RELOADS ?? 16);

/** Tells in each answer which module, which data of the bundle and which data over it decided. */
const regoOf = (module: number): string => `package parts
result := {
  "decision": ["deny", "allow"][data.over.number % 2],
  "visible": true,
  "reason_code": sprintf("OWN_%v_OVER_%v", [data.own.number, data.over.number]),
  "safe_message": "module ${module}",
} if input.subject.id != "portcullis:nobody"
`;

const OPEN = 'package parts\nresult := true\n';

interface Parts {
  module: number;
  own: number;
  over: number;
}

let folder: ReturnType<typeof privateFolder>;
let bundle: string;
let data: string;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
  bundle = join(folder.path, 'bundle.tar.gz');
  data = join(folder.path, 'data.json');
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

async function bundleOf(rego: string, own: number): Promise<Uint8Array> {
  const wasm = await wasmOf(rego, 'parts/result');
  const manifest = { revision: `own-${own}`, roots: ['parts', 'own'] };
  return writeBundle(
    new Map([
      ['policy.wasm', wasm],
      ['.manifest', Buffer.from(JSON.stringify(manifest))],
      ['data.json', Buffer.from(JSON.stringify({ own: { number: own } }))],
    ]),
  );
}

type Write = (path: string, bytes: Uint8Array) => Promise<void>;

/** As a deployment does it: the new file is whole when it takes the name. */
const replace: Write = async (path, bytes) => {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
};

/** As an editor may do it: in place, in two steps that another process can see. */
const overwrite: Write = async (path, bytes) => {
  writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  await delay(20);
  writeFileSync(path, bytes);
};

/** Puts parts in place and tells which digest they have together. */
async function deploy({ module, own, over }: Parts, write: Write): Promise<string> {
  const overlay = { over: { number: over } };
  const packed = await bundleOf(regoOf(module), own);
  await write(bundle, packed);
  await write(data, Buffer.from(JSON.stringify(overlay)));
  return layPolicyData(readBundle(unpack(packed, DEFAULTS.policy)), overlay).identity.digest;
}

async function start(...more: string[]): Promise<Serving> {
  const config = join(folder.path, 'portcullis.yaml');
  writeFileSync(config, ['policy:', '  reload_interval_ms: 50', ...more].join('\n'));
  const policy = ['--config', config, '--bundle', bundle, '--policy-data', data];
  const state = join(folder.path, 'state');
  const service = await serve(...policy, '--data', state, '--listen', '127.0.0.1:0');
  opened.push({ close: () => service.child.exitCode === null && service.stop('SIGKILL') });
  return service;
}

function get(service: Serving, path: string): Promise<Sent> {
  const [token] = readTokens(service.token_file);
  const headers = { authorization: `Bearer ${token?.token}` };
  return send(service.url, path, { method: 'GET', headers });
}

const LOOKS_MAX = 2_000;

/** Resolves when the status of the service is so. */
async function until(service: Serving, isSo: (status: Status) => boolean): Promise<Status> {
  let status: Status | undefined;
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    status = (await get(service, '/v1/status')).body as Status;
    if (isSo(status)) return status;
    await delay(10);
  }
  throw new Error(`the status stays ${JSON.stringify(status)}: ${service.stderr()}`);
}

/** Resolves when the service has logged something after its first so many characters. */
/** Waits until the service has told it; after ten seconds fails with what it told instead. */
async function untilLogged(service: Serving, from: number, text: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  const told = (): string => service.stderr().slice(from);
  while (!signal.aborted && !told().includes(text)) {
    await once(service.child.stderr!, 'data', { signal }).catch(() => []);
  }
  expect(told()).toContain(text);
}

const ONE: Question = { path: EVALUATION_PATH, body: JSON.stringify(asking(undefined)) };
const MANY: Question = {
  path: EVALUATIONS_PATH,
  body: JSON.stringify({ evaluations: Array.from({ length: 40 }, () => asking(undefined)) }),
};

function answersIn(body: unknown): EvaluationResponse[] {
  const { evaluations } = body as { evaluations?: EvaluationResponse[] };
  return evaluations ?? [body as EvaluationResponse];
}

/** What an answer of these parts must look like, whatever else is deployed at that moment. */
function answerOf({ module, own, over }: Parts): object {
  return {
    decision: over % 2 === 1,
    outcome: over % 2 === 1 ? 'allow' : 'deny',
    visible: true,
    reason_code: `OWN_${own}_OVER_${over}`,
    safe_message: `module ${module}`,
  };
}

function seenIn({ decision, context }: EvaluationResponse): object {
  const { outcome, visible, reason_code, safe_message } = context;
  return { decision, outcome, visible, reason_code, safe_message };
}

async function expectWhole(bodies: unknown[], deployed: Map<string, Parts>): Promise<Set<string>> {
  const digests = new Set<string>();
  for (const body of bodies) {
    const answers = answersIn(body);
    const own = new Set(answers.map(({ context }) => context.policy?.digest ?? ''));
    expect(own.size).toBe(1);
    const [digest = ''] = own;
    digests.add(digest);
    const parts = deployed.get(digest);
    if (!parts) throw new Error('an answer of a policy that was never deployed as a whole');
    for (const answer of answers) expect(seenIn(answer)).toEqual(answerOf(parts));
  }
  return digests;
}

describeWithOpa('a service whose policy changes under load', () => {
  test('answers each request, and each by one policy as a whole', async () => {
    const deployed = new Map<string, Parts>();
    const put = async (parts: Parts, write: Write): Promise<string> => {
      // Between the two files the old data lies over the new bundle: that is a policy too.
      const before = [...deployed.values()].at(-1);
      if (before) {
        const mixed = { ...parts, over: before.over };
        const packed = await bundleOf(regoOf(mixed.module), mixed.own);
        const overlay = { over: { number: mixed.over } };
        deployed.set(
          layPolicyData(readBundle(unpack(packed, DEFAULTS.policy)), overlay).identity.digest,
          mixed,
        );
      }
      const digest = await deploy(parts, write);
      deployed.set(digest, parts);
      return digest;
    };
    await put({ module: 0, own: 0, over: 0 }, replace);
    const service = await start();
    let asked = 0;
    const load = startLoad(service, CALLERS, () => ((asked += 1) % 10 === 0 ? MANY : ONE));
    const finals: string[] = [];
    for (let i = 1; i <= RELOADS; i += 1) {
      const parts = { module: i % 2, own: i, over: i + (i % 3) };
      const digest = await put(parts, i % 2 === 0 ? overwrite : replace);
      await until(service, ({ policy }) => policy?.digest === digest);
      await load.more(CALLERS * 2);
      finals.push(digest);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(new Set(load.replies.map(({ status }) => status))).toEqual(new Set([200]));
    const digests = await expectWhole(
      load.replies.map(({ body }) => body),
      deployed,
    );
    expect(finals.filter((digest) => !digests.has(digest))).toEqual([]);
    await service.stop('SIGTERM');
    await expectRecorded(load);
  }, 240_000);

  test('keeps the good one through bad ones, says why, and goes on with the next', async () => {
    const good = await deploy({ module: 0, own: 0, over: 1 }, replace);
    const service = await start();
    const load = startLoad(service, 4, () => ONE);
    const open = await bundleOf(OPEN, 1);
    const cases: [path: string, bytes: Uint8Array, mode: number, why: string][] = [
      [bundle, open, 0o644, 'the policy does not deny nobody: allow'],
      [bundle, Buffer.from('garbage'), 0o644, 'the archive is no gzip'],
      [bundle, open, 0o666, `(run: chmod go-w ${bundle})`],
      [data, Buffer.from('{"mcp": {}}'), 0o644, 'the data root `mcp` is reserved'],
      [data, Buffer.from('{"over": '), 0o644, 'cannot be read'],
    ];
    for (const [path, bytes, mode, why] of cases) {
      await deploy({ module: 0, own: 0, over: 1 }, replace);
      const told = service.stderr().length;
      writeFileSync(`${path}.new`, bytes);
      chmodSync(`${path}.new`, mode);
      renameSync(`${path}.new`, path);
      // Written right after the good one, it may first be told as changed while it was read.
      await untilLogged(service, told, why);
      expect(service.stderr().slice(told)).toContain('the policy was not reloaded');
      await load.more(20);
      expect((await get(service, '/v1/status')).body).toMatchObject({
        ready: true,
        policy: { digest: good },
      });
    }
    const next = await deploy({ module: 1, own: 2, over: 2 }, replace);
    await until(service, ({ policy }) => policy?.digest === next);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(new Set(load.replies.map(({ status }) => status))).toEqual(new Set([200]));
    const digests = new Set(
      load.replies.map(({ body }) => (body as EvaluationResponse).context.policy?.digest),
    );
    digests.delete(next);
    expect(digests).toEqual(new Set([good]));
  });

  test('denies when the last good one is too old, tells it, and is ready again after', async () => {
    const good = await deploy({ module: 0, own: 0, over: 1 }, replace);
    const service = await start('  age_seconds_max: 1');
    expect(await until(service, ({ ready }) => ready)).toMatchObject({
      policy: { digest: good, revision: 'own-0' },
    });
    expect((await get(service, '/health/ready')).status).toBe(200);
    rmSync(bundle);
    const status = await until(service, ({ ready }) => !ready);
    expect(status.problem).toBe(
      'the policy is older than age_seconds_max: ' +
        `cannot read \`${bundle}\`: there is no such file or folder`,
    );
    const load = startLoad(service, 1, () => ONE);
    await load.more(2);
    await load.stop();
    expect(load.replies.map(({ status: code }) => code)).toEqual(load.replies.map(() => 503));
    const paths = ['/health/live', '/health/ready', '/health'];
    expect(await Promise.all(paths.map((path) => get(service, path)))).toMatchObject([
      { status: 200, body: { live: true } },
      { status: 503, body: { ready: false } },
      { status: 200, body: { live: true, ready: false } },
    ]);
    await deploy({ module: 1, own: 2, over: 1 }, replace);
    const { policy } = await until(service, ({ ready }) => ready);
    expect(policy?.revision).toBe('own-2');
  });
});

async function expectRecorded(load: ReturnType<typeof startLoad>): Promise<void> {
  const recorded = new Set<string>();
  for await (const { evaluation_id } of readEvidence(join(folder.path, 'state', 'evidence'))) {
    if (evaluation_id) recorded.add(evaluation_id.split('#')[0] ?? '');
  }
  expect(answeredIds(load).filter((id) => !recorded.has(id))).toEqual([]);
}
