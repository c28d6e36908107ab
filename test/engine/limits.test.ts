/** The limits of an engine, below, at and above each; and what its memory does over time. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { recordingLogger, temporaryDirectory, type LoggedLine } from '../support/evidence_log.ts';
import { engineOf, wasmOf } from '../support/policies.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const REGO = 'package small\necho := input.text\n';
const SCRIPT = join(import.meta.dirname, '../support/engine_process.ts');
const ROUNDS = 60;

/** A text of so many bytes that is an input, with a character of two bytes in it. */
function inputOf(bytes: number): string {
  const frame = Buffer.byteLength(JSON.stringify({ text: 'é' }));
  return JSON.stringify({ text: `é${'x'.repeat(bytes - frame)}` });
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

describeWithOpa('the limits of an engine', () => {
  test('an input is taken below and at its size, and refused above, in bytes', async () => {
    const engine = await engineOf(REGO, ['small/echo'], { limits: { input_bytes_max: 100 } });
    for (const bytes of [99, 100]) {
      expect(Buffer.byteLength(inputOf(bytes))).toBe(bytes);
      expect(engine.evaluate('small/echo', inputOf(bytes))).toContain('é');
    }
    expect(inputOf(101).length).toBe(100);
    expect(() => engine.evaluate('small/echo', inputOf(101))).toThrow(
      expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }),
    );
    expect(engine.evaluate('small/echo', inputOf(100))).toContain('é');
  });

  test.each([
    [4, []],
    [5, [5]],
    [6, [5]],
    [9, [5]],
    [10, [5, 5]],
  ])('after %i evaluations of at most 5 each, %j were replaced', async (count, expected) => {
    const lines: LoggedLine[] = [];
    const engine = await engineOf(REGO, ['small/echo'], {
      limits: { evaluations_per_instance_max: 5 },
      log: recordingLogger(lines),
    });
    for (let i = 0; i < count; i += 1) {
      expect(engine.evaluate('small/echo', JSON.stringify({ text: i }))).toBe(i);
    }
    expect(lines.map(({ fields }) => fields?.evaluations)).toEqual(expected);
  });

  test('over many evaluations of growing inputs memory stays flat and is given back', async () => {
    const module = join(temporaryDirectory(), 'policy.wasm');
    writeFileSync(module, await wasmOf(REGO, 'small/echo'));
    const text = execFileSync(process.execPath, [
      '--expose-gc',
      SCRIPT,
      module,
      String(ROUNDS),
    ]).toString();
    const { rss_bytes, replaced } = JSON.parse(text) as {
      rss_bytes: number[];
      replaced: { pages: number }[];
    };
    // Each round wears an instance at least; kept, they would hold a gigabyte together.
    expect(replaced.length).toBeGreaterThanOrEqual(ROUNDS);
    expect(Math.max(...replaced.map(({ pages }) => pages))).toBeLessThanOrEqual(256);
    const kept = replaced.reduce((sum, { pages }) => sum + pages * 65_536, 0);
    expect(kept).toBeGreaterThan(500_000_000);
    const middle = medianOf(rss_bytes.slice(ROUNDS / 3, (2 * ROUNDS) / 3));
    const last = medianOf(rss_bytes.slice((2 * ROUNDS) / 3));
    expect(last).toBeLessThan(middle * 1.1);
    expect(Math.max(...rss_bytes)).toBeLessThan(kept / 2);
  });
});
