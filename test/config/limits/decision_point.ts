/** The limits of `decision_point`, and of those that decide within themselves. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { openDecisionPoint } from '../../../src/cli/decision_point.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import type { Configuration } from '../../../src/config/types.gen.ts';
import { CALL, pretendRaw, remote } from '../../decision/remote/fixture.ts';
import { privateFolder, READY, recordingCore, start } from '../../pdp/fixture.ts';
import { SILENT } from '../../support/toolchain.ts';
import { around, outcomeOf, type Probe, type TimeProbe } from './probe.ts';

const BUNDLE = fileURLToPath(new URL('../../../bundles/payments.tar.gz', import.meta.url));

/** Processes of one server, each of which takes a folder of its own. */
export function instances(): Promise<Probe> {
  return around(2, async (amount, instances_max) => {
    const folder = privateFolder();
    const load = (instance: string): Configuration =>
      loadConfiguration({
        overrides: {
          instances_max,
          policy: { bundle: BUNDLE },
          decision_point: { embedded: true },
        },
        names: { server: 'payments', instance },
        cwd: folder.path,
        variables: { XDG_STATE_HOME: folder.path },
      });
    const points: DecisionPoint[] = [];
    const open = async (): Promise<void> => {
      const { point, opened } = openDecisionPoint(load('main'), load, SILENT);
      points.push(point);
      await opened;
    };
    let outcome = '';
    for (let i = 0; i < amount; i += 1) outcome = await outcomeOf(open);
    for (const point of points) await point.close();
    folder.remove();
    return outcome;
  });
}

export function answerBytes(): Promise<Probe> {
  return around(1024, async (amount, answer_bytes_max) => {
    const known = JSON.stringify({ ...READY, problem: '' }).length;
    const problem = 'x'.repeat(amount - known);
    const service = await start(recordingCore({ status: () => ({ ...READY, problem }) }));
    const point = remote({ url: service.url }, { answer_bytes_max });
    const outcome = await outcomeOf(() => point.describe());
    await point.close();
    await service.close();
    return outcome;
  });
}

/** How many of so many questions arrive while none is answered. */
export function connections(): Promise<Probe> {
  return around(2, async (amount, connections_max) => {
    let seen: number[] = [];
    let arrived = Promise.withResolvers<void>();
    const server = await pretendRaw(({ remotePort = 0 }) => {
      seen = [...seen, remotePort];
      arrived.resolve();
      arrived = Promise.withResolvers();
    });
    const until = async (isEnough: () => boolean): Promise<void> => {
      while (!isEnough()) await arrived.promise;
    };
    const point = remote({ url: server.url }, { connections_max, timeout_ms: 60_000 });
    const asked = Array.from({ length: amount }, () => outcomeOf(() => point.decide(CALL)));
    await until(() => seen.length === Math.min(amount, connections_max));
    // One that begins after all of them arrives after them.
    const last = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(last, 'connect');
    await until(() => seen.includes(last.localPort ?? 0));
    last.destroy();
    await point.close();
    await Promise.all(asked);
    await server.close();
    return `${seen.length - 1} of ${amount}`;
  });
}

export async function timeout(): Promise<TimeProbe> {
  const service = await start(recordingCore());
  const silent = await pretendRaw(() => {});
  const ask = async (url: string, timeout_ms: number): Promise<string> => {
    const point = remote({ url }, { timeout_ms });
    const outcome = await outcomeOf(() => point.decide(CALL));
    await point.close();
    return outcome;
  };
  const soon = await ask(service.url, 60_000);
  const never = await ask(silent.url, 30);
  await Promise.all([service.close(), silent.close()]);
  return { soon, never };
}
