/** OPA's decision log masks the same, asked of a real server that uploads it. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applyMask, readMask } from '../../src/decision/mask.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { opaAtPlace, Servers } from './foreign/processes.ts';
import { EVENT, MASK_CASES } from './mask_cases.ts';

const POLICY = `package system.log

mask contains operation if some operation in input.input.operations
`;
const ANSWER = 'package echo\n\nresult := input.answer\n';

interface Logged {
  input?: { title: string };
  result?: unknown;
  erased?: string[];
  masked?: string[];
  labels?: object;
}

const plain = (value: object): object => JSON.parse(JSON.stringify(value)) as object;

const servers = new Servers();
afterAll(() => servers.close());

describeWithOpa('the decision log of OPA', () => {
  const logged: Logged[] = [];
  beforeAll(async () => {
    const collector = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        logged.push(...(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()) as Logged[]));
        res.end('{}');
        collector.emit('logged');
      });
    }).listen(0, '127.0.0.1');
    servers.keep({ close: () => collector.close() });
    await once(collector, 'listening');
    const folder = servers.folder();
    const files = { 'mask.rego': POLICY, 'echo.rego': ANSWER };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const settings = [
      `services.us.url=http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      'decision_logs.service=us',
      'decision_logs.reporting.min_delay_seconds=1',
      'decision_logs.reporting.max_delay_seconds=1',
    ].flatMap((each) => ['--set', each]);
    const socket = join(folder, 'opa.sock');
    const opa = servers.keep(
      opaAtPlace({ socket }, ...settings, ...Object.keys(files).map((name) => join(folder, name))),
    );
    await opa.start();
    for (const { mask } of MASK_CASES) {
      const input = { ...EVENT.input, operations: mask, answer: EVENT.result };
      const asked = request({ socketPath: socket, path: '/v1/data/echo/result', method: 'POST' });
      asked.end(JSON.stringify({ input }));
      const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
      answer.resume();
      await once(answer, 'end');
    }
    while (logged.length < MASK_CASES.length) await once(collector, 'logged');
  });

  test.each(MASK_CASES.map((each, at) => ({ ...each, at })))('masks $title', ({ mask, at }) => {
    const { input, result, erased = [], masked = [] } = logged[at]!;
    const asked = { ...EVENT.input, operations: mask, answer: EVENT.result };
    const event = plain({ input: asked, result: EVENT.result });
    const theirs = { input, result, erased: [...new Set(erased)], masked: [...new Set(masked)] };
    expect(plain(applyMask(event, readMask(mask)))).toEqual(plain(theirs));
  });
});
