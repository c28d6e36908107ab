/** A decision service as a process of its own, with the policy that the attacks meet. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { readTokens } from '../../../src/pdp/token_file.ts';
import { serve, type Serving } from '../../cli/fixture.ts';
import { remote } from '../../decision/remote/fixture.ts';
import { privateFolder } from '../../pdp/fixture.ts';
import { DATA, LIBRARY } from './policy.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** Closed after the test. */
export function closing<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

export interface Service extends Serving {
  /** The policy data that it reads. */
  data: string;
}

export async function service(settings: string[] = []): Promise<Service> {
  const { path, remove } = privateFolder();
  closing({ close: remove });
  const [data, config] = [join(path, 'data.json'), join(path, 'portcullis.yaml')];
  writeFileSync(data, JSON.stringify(DATA));
  writeFileSync(config, settings.join('\n'));
  const policy = ['--config', config, '--bundle', LIBRARY, '--policy-data', data];
  const state = ['--data', join(path, 'state')];
  const serving = await serve(...policy, ...state, '--listen', '127.0.0.1:0');
  closing({ close: () => serving.child.signalCode === null && serving.stop('SIGKILL') });
  return { ...serving, data };
}

export function askedOverTcp({ url, token_file }: Serving): DecisionPoint {
  const [token] = readTokens(token_file);
  return closing(remote({ url, id: token?.id, token: token?.token }, { timeout_ms: 1_000 }));
}
