/** A decision service in a process of its own, over the policy of this folder. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvidenceRecord } from '../../../src/contract/types.gen.ts';
import { readTokens } from '../../../src/pdp/token_file.ts';
import { run, serve, type Serving } from '../../cli/fixture.ts';
import { readAll } from '../../support/evidence_log.ts';
import { privateFolder, send, type Sent } from '../fixture.ts';

export const EVALUATION = '/access/v1/evaluation';
export const EVALUATIONS = '/access/v1/evaluations';

const POLICY = join(import.meta.dirname, 'policy');

export interface AuthzenService {
  serving: Serving;
  port: number;
  token: string;
  /** Posts a value as JSON, or text as it is. */
  post(path: string, body: object | string, headers?: Record<string, string>): Promise<Sent>;
  /** What is on record by now. */
  records(): Promise<EvidenceRecord[]>;
  close(): Promise<void>;
}

/** Builds the policy with our tool chain and serves it; `yaml` is its portcullis.yaml. */
export async function serveAuthzen(yaml = '{}'): Promise<AuthzenService> {
  const folder = privateFolder();
  const state = join(folder.path, 'state');
  const bundle = join(folder.path, 'authzen.tar.gz');
  const config = join(folder.path, 'portcullis.yaml');
  writeFileSync(config, yaml);
  const built = await run('build', POLICY, '--entrypoint', 'authzen/allow', '-o', bundle);
  if (built.code !== 0) throw new Error(built.stderr);
  const place = ['--config', config, '--data', state, '--listen', '127.0.0.1:0'];
  const serving = await serve('--bundle', bundle, ...place);
  const token = readTokens(serving.token_file)[0]?.token ?? '';
  return {
    serving,
    port: Number(new URL(serving.url).port),
    token,
    post: (path, body, headers = {}) =>
      send(serving.url, path, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { authorization: `Bearer ${token}`, ...headers },
      }),
    records: () => readAll(join(state, 'evidence')),
    close: async () => {
      if (serving.child.exitCode === null) await serving.stop('SIGKILL');
      folder.remove();
    },
  };
}
