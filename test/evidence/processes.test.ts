/** The log across real processes: one writer for each directory, and what a killed one leaves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { ENTRY, openLog, readAll, temporaryDirectory } from '../support/evidence_log.ts';

const SCRIPT = join(import.meta.dirname, '../support/evidence_process.ts');
/** More by `KILLS=200`. */
const KILLS = Number(process.env.KILLS ?? 10);
const TIMEOUT_MS = 30_000 + KILLS * 5_000;

interface Writer {
  child: ChildProcess;
  /** The first line that it printed: `open`, or the code of an error. */
  first: Promise<string>;
  /** What it printed until it ended. */
  output: Promise<string[]>;
}

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function startWriter(directory: string, callers = 0, ...more: string[]): Writer {
  const child = spawn(process.execPath, [SCRIPT, directory, String(callers), ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  let text = '';
  const { stdout } = child;
  stdout.setEncoding('utf8');
  const first = new Promise<string>((resolve) => {
    stdout.on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(text.split('\n')[0]!);
    });
  });
  // A line that broke off was not printed.
  const output = once(stdout, 'end').then(() => text.split('\n').slice(0, -1));
  return { child, first, output };
}

test(
  'what a killed process acknowledged is there, and the next one goes on',
  async () => {
    const directory = temporaryDirectory();
    let acknowledged_before = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { child, first, output } = startWriter(directory, 16);
      expect(await first).toBe('open');
      await sleep(200 + 50 * (kill % 4));
      child.kill('SIGKILL');
      const indices = (await output).slice(1).map(Number);
      // What earlier ones wrote is proved by the last start, which reads all of it.
      const records = await readAll(directory, { from: acknowledged_before });
      const ours = records.filter(({ instance }) => instance === `process-${child.pid}`);
      const own = new Set(ours.map(({ index }) => index));
      expect(indices.length).toBeGreaterThan(100);
      expect(indices.filter((index) => !own.has(index))).toEqual([]);
      expect(Math.min(...indices)).toBeGreaterThanOrEqual(acknowledged_before);
      acknowledged_before = Math.max(...indices) + 1;
    }
    const log = await openLog(directory, { settings: { prove_all_records: true } });
    expect(await log.append(ENTRY)).toBeGreaterThanOrEqual(acknowledged_before);
    await log.close();
  },
  TIMEOUT_MS,
);

/** Each is read as a whole after each kill, so that a long run needs many of them. */
const KILLS_A_LOG = 10;

test(
  'a redaction that is killed leaves each record whole or redacted, and asked again it finishes',
  async () => {
    for (let done = 0; done < KILLS; done += KILLS_A_LOG) {
      const directory = temporaryDirectory();
      const kills = Math.min(KILLS_A_LOG, KILLS - done);
      for (let kill = 0; kill < kills; kill += 1) await killRedacting(directory, kill);
      const log = await openLog(directory);
      await log.redact({ caller: 'test', by: { subject: 'user:0' } });
      await log.close();
      const left = (await readAll(directory)).flatMap(({ request }) => request?.subject.id ?? []);
      expect(new Set(left)).toEqual(new Set(['user:1', 'user:2', 'user:3']));
    }
  },
  TIMEOUT_MS,
);

/** At some moment of its second redaction or a later one. */
async function killRedacting(directory: string, kill: number): Promise<void> {
  const { child, output } = startWriter(directory, 4, 'redact');
  const wanted = 2 + (kill % 3);
  await new Promise<void>((resolve) => {
    let printed = '';
    child.stdout!.on('data', (part: string) => {
      printed += part;
      if (printed.split('redacted\n').length > wanted) resolve();
    });
  });
  for (let turn = 0; turn < kill * 20; turn += 1) await new Promise(setImmediate);
  child.kill('SIGKILL');
  await output;
  const log = await openLog(directory, { settings: { prove_all_records: true } });
  await log.close();
  const broken = (await readAll(directory)).filter(
    ({ request, detail }) => (request === undefined) !== (detail === undefined),
  );
  expect(broken).toEqual([]);
}

test('of eight that start at once one writes, and when it is killed another can', async () => {
  const directory = temporaryDirectory();
  for (let round = 0; round < 2; round += 1) {
    const writers = Array.from({ length: 8 }, () => startWriter(directory));
    const answers = await Promise.all(writers.map(({ first }) => first));
    expect(answers.toSorted()).toEqual([...Array<string>(7).fill('EVIDENCE_LOCKED'), 'open']);
    const holder = writers[answers.indexOf('open')]!;
    await expect(openLog(directory)).rejects.toMatchObject({
      code: 'EVIDENCE_LOCKED',
      message: `another process writes to the evidence directory \`${directory}\``,
    });
    holder.child.kill('SIGKILL');
    await holder.output;
  }
  await (await openLog(directory)).close();
});

test('one that is refused in the same process does not drop the lock', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await expect(openLog(directory)).rejects.toMatchObject({ code: 'EVIDENCE_LOCKED' });
  const other = startWriter(directory);
  expect(await other.first).toBe('EVIDENCE_LOCKED');
  await log.close();
  await (await openLog(directory)).close();
});
