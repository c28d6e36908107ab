/** `portcullis evidence`: from a service that runs to somebody who has a receipt and a key. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { run, serve, type Serving } from './fixture.ts';

const BUNDLE = join(import.meta.dirname, '../../bundles/payments.tar.gz');
const REQUEST = {
  subject: { type: 'identity', id: 'user:mallory@example.com' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
};

const folder = privateFolder();
const log = join(folder.path, 'state', 'evidence');
const at = (name: string): string => join(folder.path, name);
let service: Serving;
let evaluation_id: string;

beforeAll(async () => {
  writeFileSync(at('portcullis.yaml'), 'evidence:\n  checkpoint_interval_ms: 100\n');
  const state = ['--config', at('portcullis.yaml'), '--data', join(folder.path, 'state')];
  service = await serve(...state, '--bundle', BUNDLE, '--listen', '127.0.0.1:0');
  const [held] = readTokens(service.token_file);
  const response = await fetch(`${service.url}/access/v1/evaluation`, {
    method: 'POST',
    headers: { authorization: `Bearer ${held?.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(REQUEST),
  });
  const answer = (await response.json()) as { context: { evaluation_id: string } };
  ({ evaluation_id } = answer.context);
});
afterAll(async () => {
  await service.stop('SIGKILL');
  folder.remove();
});

/** The log signs a moment after it answered. */
async function receiptOf(record: string): Promise<string> {
  for (;;) {
    const { code, stdout, stderr } = await run('evidence', 'receipt', record, '--log', log);
    if (code === 0) return stdout;
    expect(stderr).toMatch(/has signed \d+ records, and not yet record|signed anything/);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function judged(receipt: string): Promise<{ code: number; said: string }> {
  const { stdout: keys } = await run('evidence', 'keys', '--log', log);
  writeFileSync(at('log.vkey'), keys);
  writeFileSync(at('receipt'), receipt);
  const { code, stdout } = await run('verify', at('receipt'), '--key', at('log.vkey'));
  return { code, said: stdout };
}

describe('the receipt of a decision', () => {
  test('[X-06] is had by the id of the answer, and true', async () => {
    const { code, said } = await judged(await receiptOf(evaluation_id));
    expect(code).toBe(0);
    expect(said).toContain('user:mallory@example.com asked for tools/call');
    expect(said).toContain('was answered deny');
  });

  test('is the same by its index', async () => {
    const { index } = JSON.parse(
      (await run('evidence', 'receipt', evaluation_id, '--log', log, '--json')).stdout,
    ) as { index: number };
    const line = (receipt: string) => /^extra .*$/m.exec(receipt)?.[0];
    expect(line(await receiptOf(String(index)))).toBe(line(await receiptOf(evaluation_id)));
  });

  test('is false where the record says something else', async () => {
    const changed = (await receiptOf(evaluation_id)).replace(/^extra (.*)$/m, (_line, extra) => {
      const text = Buffer.from(String(extra), 'base64').toString().replace('"deny"', '"allow"');
      return `extra ${Buffer.from(text).toString('base64')}`;
    });
    expect(await judged(changed)).toEqual({
      code: 1,
      said: expect.stringContaining('INCLUSION_FALSE'),
    });
  });
});

test.each(['no folder', 'a file', 'a pipe', 'a folder in the place of the checkpoint'])(
  '%s is told, and not waited for',
  async (what) => {
    const place = at(what);
    if (what === 'a file') writeFileSync(place, '');
    if (what.startsWith('a folder')) mkdirSync(join(place, 'checkpoint'), { recursive: true });
    if (what === 'a pipe') {
      mkdirSync(place);
      execFileSync('mkfifo', [join(place, 'checkpoint')]);
    }
    for (const command of [['keys'], ['receipt', '0'], ['receipt', 'some-id']]) {
      const told = await run('evidence', ...command, '--log', place);
      expect(told).toMatchObject({ code: 2, stderr: expect.stringContaining(place) });
      expect(told.stderr).toMatch(/^ARGUMENT_INVALID/);
    }
  },
);

test('an id that the log has not, and a folder without a log, are told', async () => {
  const unknown = await run('evidence', 'receipt', 'no-such-id', '--log', log);
  expect(unknown).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no decision of that id'),
  });
  const empty = await run('evidence', 'keys', '--log', folder.path);
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('signed anything') });
});
