import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeBundle } from '../../src/bundle/files.ts';
import { buildPolicy } from '../../src/toolchain/build.ts';
import { gatherSources } from '../../src/toolchain/sources.ts';
import { describeWithOpa, opa } from '../support/toolchain.ts';

interface Told {
  code: number;
  stdout: string;
  stderr: string;
}

function tell(...argv: string[]): Promise<Told> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/demo.ts', ...argv], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

test('[C-02] the story goes as told, with a record of each list and each call', async () => {
  const { code, stdout, stderr } = await tell();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('All 25 steps went as told.');
  expect(stdout.match(/^ {4}evidence #\d+ (decision|discovery|activation)/gmu)).toHaveLength(21);
}, 60_000);

/** The parts of a shown output, which stand between lines that hold only `…`. */
function partsOf(shown: string): string[] {
  return shown.split(/^ *…\n/mu).map((part) => part.trimEnd());
}

/** Records of reports stand between those that are told, so their numbers may differ. */
function unnumbered(text: string): string {
  return text.replaceAll(/evidence #\d+/gu, 'evidence #');
}

test('README.md shows what is printed', async () => {
  const [, shown = ''] =
    /npm run demo\n\n([^]*?)^```/mu.exec(readFileSync('README.md', 'utf8')) ?? [];
  const { stdout } = await tell();
  const printed = unnumbered(stdout).replaceAll(/policy [0-9a-f]{12}$/gmu, 'policy <digest>');
  const parts = partsOf(unnumbered(shown));
  expect(parts.length).toBeGreaterThan(2);
  let rest = printed;
  for (const part of parts) {
    expect(rest).toContain(part);
    rest = rest.slice(rest.indexOf(part) + part.length);
  }
  expect(printed.trimStart().startsWith(parts[0]?.trimStart() ?? '-')).toBe(true);
  expect(rest).toBe('\n');
}, 60_000);

describeWithOpa('over a policy that allows everything', () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-open-'));
    const sources = gatherSources(
      [{ path: 'open.rego', text: 'package open\n\nallow := true\n' }],
      [],
    );
    const options = { entrypoint: 'open/allow', unsafe_allow_all: true };
    const { files } = await buildPolicy(opa, sources, options);
    writeFileSync(join(folder, 'open.tar.gz'), writeBundle(files));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the story ends at its first difference with exit code 1', async () => {
    const { code, stdout, stderr } = await tell(
      '--bundle',
      join(folder, 'open.tar.gz'),
      '--unsafe-allow-all',
    );
    expect(code).toBe(1);
    expect(stderr).toContain(
      'The story went otherwise: expected "sees balance, customer, transfer"',
    );
    expect(stdout).not.toContain('as told');
  }, 60_000);

  test('without being told that it may, the service does not start', async () => {
    const { code, stderr } = await tell('--bundle', join(folder, 'open.tar.gz'));
    expect(code).toBe(1);
    expect(stderr).toContain('the decision service did not start');
  }, 60_000);
});
