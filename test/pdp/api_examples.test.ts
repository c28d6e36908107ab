/** The examples of docs/api.md, run as they stand there against a service of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EvaluationResponse } from '../../src/contract/types.gen.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { serve, type Serving } from '../cli/fixture.ts';
import { privateFolder } from './fixture.ts';
import { prerequisite } from '../support/prerequisite.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEXT = readFileSync(join(ROOT, 'docs', 'api.md'), 'utf8');
/** A compiler may find its cache empty. */
const TIMEOUT_MS = 300_000;

function blocks(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm');
  return [...TEXT.matchAll(pattern)].map(([, block = '']) => block);
}

const [REQUEST = '', ANSWER = ''] = blocks('json');

/** Each language with how an example is run, and how one learns that it is there. */
const LANGUAGES = [
  { language: 'sh', name: 'curl', file: 'ask.sh', run: ['sh'], probe: ['curl', '--version'] },
  {
    language: 'python',
    name: 'python3',
    file: 'ask.py',
    run: ['python3'],
    probe: ['python3', '--version'],
  },
  { language: 'go', name: 'go', file: 'ask.go', run: ['go', 'run'], probe: ['go', 'version'] },
];

const folder = privateFolder();
let service: Serving;
beforeAll(async () => {
  const bundle = join(ROOT, 'bundles', 'payments.tar.gz');
  const state = join(folder.path, '.portcullis');
  service = await serve('--bundle', bundle, '--data', state, '--listen', '127.0.0.1:0');
  writeFileSync(join(folder.path, 'request.json'), REQUEST);
});
afterAll(async () => {
  await service.stop('SIGKILL');
  folder.remove();
});

/** The lines that an example prints; only the port is another than in the document. */
async function linesOf(example: string, file: string, run: readonly string[]): Promise<string[]> {
  const address = new URL(service.url).host;
  writeFileSync(join(folder.path, file), example.replaceAll('127.0.0.1:8181', address));
  const [program = '', ...args] = run;
  const child = spawn(program, [...args, file], { cwd: folder.path, env: ENVIRONMENT });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect([code, stderr]).toEqual([0, '']);
  return stdout.trim().split('\n');
}

/** Nothing is fetched: the examples need their standard library only. */
const ENVIRONMENT = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GOPROXY: 'off' };

test('the document shows one request and its answer', () => {
  expect(VALIDATORS.evaluation_request(JSON.parse(REQUEST))).toMatchObject({ ok: true });
  expect(VALIDATORS.evaluation_response(JSON.parse(ANSWER))).toMatchObject({ ok: true });
});

describe.each(LANGUAGES)('$language', ({ language, name, file, run, probe }) => {
  const [program = '', ...args] = probe;
  const isThere = spawnSync(program, args).status === 0;

  prerequisite(
    name,
    isThere,
    `put ${name} on PATH`,
  )('asks', () => {
    test(
      '[C-07] over TCP with a token and over the Unix socket, and gets the answer that is shown',
      async () => {
        const [example = '', ...others] = blocks(language);
        expect(others).toEqual([]);
        const answers = await linesOf(example, file, run);
        const shown = JSON.parse(ANSWER) as EvaluationResponse;
        const context = {
          ...shown.context,
          evaluation_id: expect.any(String),
          policy: expect.any(Object),
        };
        expect(answers.map((line) => JSON.parse(line) as unknown)).toEqual([
          { ...shown, context },
          { ...shown, context },
        ]);
      },
      TIMEOUT_MS,
    );
  });
});
