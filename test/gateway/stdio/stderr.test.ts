import { PassThrough, Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { passStderr } from '../../../src/gateway/stdio/stderr.ts';

async function passed(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const target = new PassThrough();
  const source = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  await passStderr(source, target, 'files');
  return String(target.read() ?? '').split('\n');
}

test('each line stands under the name of its server', async () => {
  expect(await passed('one\r\ntw', 'o\n\nthree\tcolumns')).toEqual([
    '[files] one',
    '[files] two',
    '[files] ',
    '[files] three columns',
    '',
  ]);
});

test('nothing moves the cursor, reorders text or looks like another line', async () => {
  const evil = '\u001b[2J\u0007a\rb\u202ec\u2028d\u0085e\u200f\x7f\n';
  const [line] = await passed(evil);
  expect(line).toBe('[files] \\u001b[2J\\u0007a\\u000db\\u202ec\\u2028d\\u0085e\\u200f\\u007f');
  expect((await passed(Buffer.from([0x61, 0xff, 0xc3, 0x0a])))[0]).toBe('[files] a\ufffd\ufffd');
});

test('of a long line only the beginning is told', async () => {
  const lines = await passed('x'.repeat(5000), 'x'.repeat(5000), '\nnext\n');
  expect(lines).toEqual([`[files] ${'x'.repeat(8192)}…`, '[files] next', '']);
});

test('a server that says more than is read waits', async () => {
  let given = 0;
  const source = (async function* () {
    for (; given < 100_000; given += 1) yield Buffer.from('noise\n');
  })();
  const target = new Writable({ write: () => undefined, highWaterMark: 1000 });
  passStderr(source, target, 'files').catch(() => undefined);
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(given).toBeLessThan(200);
  target.destroy();
});
