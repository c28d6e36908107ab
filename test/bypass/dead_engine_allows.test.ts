/** Row 9: the decision service dies, hangs or is replaced, and the guard goes on without it. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { expect, test } from '@jest/globals';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import { ALLOWED, READY } from '../pdp/fixture.ts';
import { callOf, requestOf } from './support/bank.ts';
import { askedOverTcp, closing, service, type Service } from './support/service.ts';
import { guardedHttp, guardedStdio, type Open } from './support/targets.ts';

/** How it goes away. */
const ENDS: Record<string, (serving: Service) => Promise<unknown>> = {
  'is killed': (serving) => serving.stop('SIGKILL'),
  'is stopped': async (serving) => serving.child.kill('SIGSTOP'),
  'is replaced by one that allows': async (serving) => {
    await serving.stop('SIGKILL');
    const allow: RequestListener = ({ url }, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(url === '/v1/status' ? READY : ALLOWED));
    };
    const stranger = createServer(allow).listen(Number(new URL(serving.url).port), '127.0.0.1');
    await once(stranger, 'listening');
    closing({ close: () => (stranger.closeAllConnections(), stranger.close()) });
  },
};

/** What cannot be asked has nothing against it. */
function failOpen(point: DecisionPoint): DecisionPoint {
  return {
    decide: (request, options) => point.decide(request, options).catch(() => ALLOWED as never),
    discover: (request, options) =>
      point
        .discover(request, options)
        .catch(() => ({ evaluations: request.evaluations.map(() => ({ decision: true })) })),
    describe: (options) => point.describe(options).catch(() => READY),
    report: (outcome) => point.report(outcome).catch(() => undefined),
    turnedAway: (report) => point.turnedAway(report).catch(() => undefined),
    watch: () => () => undefined,
    close: () => point.close(),
  };
}

async function doneAfter(open: Open, end: () => Promise<unknown>): Promise<string[]> {
  const { bank, say, close } = await open();
  await say(JSON.stringify(callOf('transfer', { amount: 1 })));
  expect(bank.done).toEqual(['transfer', 'balance']);
  await end();
  await say(JSON.stringify(callOf('transfer', { amount: 2 }, 'second')));
  await say(JSON.stringify(requestOf('tools/list', {}, 'third')));
  await close();
  return bank.done.slice(2);
}

test.each(Object.entries(ENDS))('a service that %s allows nothing', async (_how, end) => {
  const serving = await service();
  const asked = () => askedOverTcp(serving);
  const doors = [
    guardedStdio(1, { point: asked }),
    guardedHttp(2, { point: asked }),
    guardedHttp(1, { point: () => failOpen(asked()) }),
  ];
  let waiting = doors.length;
  const { promise, resolve } = Promise.withResolvers<void>();
  const together = async (): Promise<void> => {
    waiting -= 1;
    if (waiting === 0) await end(serving).then(() => resolve());
    return promise;
  };
  const [stdio, http, heedless] = await Promise.all(doors.map((open) => doneAfter(open, together)));
  expect([stdio, http]).toEqual([[], []]);
  expect(heedless).toContain('transfer');
});
