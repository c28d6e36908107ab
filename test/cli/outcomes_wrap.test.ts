/** `portcullis wrap` that is told to stop: what it did is on record, or will be. */
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import {
  at,
  begin,
  decided,
  end,
  environment,
  idsOf,
  keep,
  outcomes,
  pause,
  recorded,
  service,
} from './outcomes_fixture.ts';
import { Host, policyOf, wrapArguments } from './wrap_fixture.ts';

const OWN = fileURLToPath(new URL('wrapped_process.ts', import.meta.url));

beforeEach(begin);
afterEach(end);

describe('portcullis wrap', () => {
  const options = (): string[] => ['wrap', '--server', 'own', '--data', at('guard')];
  const wrapped = (): Host => {
    const host = new Host([...options(), '--', process.execPath, OWN], environment());
    keep({ close: () => host.process.kill('SIGKILL') });
    return host;
  };

  test('[O-03] told to stop, it delivers the outcomes of what it did', async () => {
    const first = await service();
    const host = wrapped();
    await host.greet();
    for (let id = 1; id <= 20; id += 1) expect(await host.call(id, 'secret')).toBe('secret');
    host.process.kill('SIGTERM');
    expect(await host.exited).toBe(0);
    expect(idsOf(await outcomes())).toEqual(await decided());
    expect(await first.stop('SIGTERM')).toBe(0);
  });

  test('[O-03] what it cannot deliver when it stops it delivers at its next start', async () => {
    const first = await service();
    const host = wrapped();
    await host.greet();
    expect(await host.call(1, 'secret')).toBe('secret');
    host.say({ id: 2, method: 'tools/call', params: { name: 'hang', arguments: {} } });
    while ((await decided()).length < 2) await pause();
    expect(await host.call(3, 'secret')).toBe('secret');
    await recorded(2);
    await first.stop('SIGKILL');
    host.process.kill('SIGTERM');
    expect(await host.exited).toBe(0);
    expect(host.stderr).toContain('outcomes stay for the next start of the guard');
    await service();
    const next = wrapped();
    await next.greet();
    const found = await recorded(3);
    expect(idsOf(found)).toEqual(await decided());
    expect(found.map(({ status }) => status)).toEqual(['executed', 'executed', 'abandoned']);
  });

  describe('that decides by itself', () => {
    const policy = policyOf({ secret: {}, hang: {} });
    const alone = (): Host => {
      const argv = [...wrapArguments(at(), policy), '--', process.execPath, OWN];
      const host = new Host(argv);
      keep({ close: () => host.process.kill('SIGKILL') });
      return host;
    };

    async function recordsOf(kind: string): Promise<EvidenceRecord[]> {
      const found: EvidenceRecord[] = [];
      for await (const record of readEvidence(at('state', 'evidence'))) {
        if (record.kind === kind) found.push(record);
      }
      return found;
    }

    test('[O-03] told to stop, it has each decision and outcome on record', async () => {
      const host = alone();
      await host.greet();
      const calls = Array.from({ length: 20 }, (_, i) => host.call(i + 1, 'secret'));
      expect(new Set(await Promise.all(calls))).toEqual(new Set(['secret']));
      host.say({ id: 99, method: 'tools/call', params: { name: 'hang', arguments: {} } });
      // What was asked before has reached the server by then.
      while ((await recordsOf('decision')).length < 21) await pause();
      expect(await host.call(100, 'secret')).toBe('secret');
      host.process.kill('SIGTERM');
      expect(await host.exited).toBe(0);
      const outcome = await recordsOf('outcome');
      expect(idsOf(outcome)).toEqual(idsOf(await recordsOf('decision')));
      const statuses = outcome.map(({ status }) => status);
      expect(statuses).toEqual([...Array<string>(21).fill('executed'), 'abandoned']);
    });

    test('[O-03] a second one on the same evidence directory is refused', async () => {
      const host = alone();
      await host.greet();
      const second = alone();
      expect(await second.exited).toBe(3);
      expect(second.stderr).toContain('EVIDENCE_LOCKED');
      expect(await host.call(1, 'secret')).toBe('secret');
    });
  });
});
