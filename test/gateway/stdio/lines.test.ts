import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readLines } from '../../../src/gateway/stdio/lines.ts';

const LIMIT_BYTES = 40;

async function linesOf(...chunks: (string | Uint8Array)[]): Promise<unknown[]> {
  const lines: unknown[] = [];
  const source = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  for await (const line of readLines(source, LIMIT_BYTES)) {
    lines.push(line.kind === 'whole' ? Buffer.from(line.bytes).toString() : line);
  }
  return lines;
}

test('lines come whole however they were cut, and empty ones not at all', async () => {
  expect(await linesOf('a', 'b\nc', '\n\n', 'd\r\n', '\n')).toEqual(['ab', 'c', 'd\r']);
});

test('what has no end is no line', async () => {
  expect(await linesOf('a\n', '{"id":1}')).toEqual(['a', { kind: 'half' }]);
});

test('a line over the limit says only whom it spoke for, and the next one is read', async () => {
  const of = (size: number) => `{"id":1,"method":"${'x'.repeat(size - 20)}"}`;
  expect(await linesOf(`${of(LIMIT_BYTES)}\n`)).toEqual([of(LIMIT_BYTES)]);
  const frame = { id: 1, asks: true };
  expect(await linesOf(`${of(LIMIT_BYTES + 1)}\nnext\n`)).toEqual([
    { kind: 'too_large', frame },
    'next',
  ]);
  expect(await linesOf(of(5000).slice(0, 30), of(5000).slice(30), '\nnext\n')).toEqual([
    { kind: 'too_large', frame },
    'next',
  ]);
  expect(await linesOf('x'.repeat(5000), '\n')).toEqual([{ kind: 'too_large' }]);
});

test('any cuts give the same lines', async () => {
  const line = fc.stringMatching(/^[a-z]{1,60}$/);
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(line), cuts, async (lines, sizes) => {
      const text = lines.map((each) => `${each}\n`).join('');
      const chunks: string[] = [];
      for (let at = 0; at < text.length;) {
        const size = sizes[chunks.length % sizes.length] ?? 1;
        chunks.push(text.slice(at, at + size));
        at += size;
      }
      const expected = lines.map((each) =>
        each.length > LIMIT_BYTES ? { kind: 'too_large', frame: undefined } : each,
      );
      expect(await linesOf(...chunks)).toEqual(expected);
    }),
  );
});
