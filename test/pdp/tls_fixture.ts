/** A service over TLS, with files that a test may replace, and a client with any certificate. */
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Clock } from '../../src/contract/ambient.ts';
import { watchedCallers } from '../../src/pdp/certificate_callers.ts';
import { authority, type Issued, type Subject } from '../support/certificates.ts';
import {
  privateFolder,
  recordingCore,
  recordingLog,
  SETTINGS,
  start,
  tokenOf,
  tokensOf,
  type RecordingCore,
} from './fixture.ts';

export const GUARD: Subject = { uris: ['spiffe://acme/guard'], usage: 'client' };

export interface SecureService {
  url: string;
  core: RecordingCore;
  log: ReturnType<typeof recordingLog>;
  /** The authority of the service and of its callers. */
  ca: ReturnType<typeof authority>;
  folder: string;
  /** Lets so much time pass for the service. */
  pass(ms: number): void;
  write(name: 'cert.pem' | 'key.pem' | 'ca.pem' | 'callers.json', text: string): string;
  issue(subject?: Subject): Issued;
  close(): Promise<void>;
}

export const CALLERS = {
  callers: [
    { id: 'guard', certificate: { uri: 'spiffe://acme/guard' }, scopes: ['decide'] },
    {
      id: 'acme',
      certificate: { dns: 'acme.example' },
      scopes: ['decide', 'attest:actor'],
      tenants: ['acme'],
    },
  ],
};

/** Its certificate is for 127.0.0.1 and localhost, unless it is given another. */
export async function startSecure(own: Subject = {}): Promise<SecureService> {
  const { path: folder, remove } = privateFolder();
  const ca = authority();
  const write: SecureService['write'] = (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const mine = ca.issue({ hosts: ['127.0.0.1', 'localhost'], usage: 'server', ...own });
  let passed_ms = 0;
  const clock: Clock = { now_ms: () => Date.now() + passed_ms };
  const tls = {
    cert_file: write('cert.pem', mine.cert),
    key_file: write('key.pem', mine.key),
    client_ca_file: write('ca.pem', ca.cert),
  };
  const callers_file = write('callers.json', JSON.stringify(CALLERS));
  const core = recordingCore();
  const log = recordingLog();
  const service = await start(
    core,
    { ...SETTINGS, tls },
    tokensOf(tokenOf(['decide'])),
    clock,
    watchedCallers(callers_file, clock, log),
  );
  return {
    url: service.url,
    core,
    log: service.log,
    ca,
    folder,
    pass: (ms) => (passed_ms += ms),
    write,
    issue: (subject = GUARD) => ca.issue(subject),
    async close() {
      await service.close();
      remove();
    },
  };
}

export interface Told {
  status: number;
  headers: Record<string, unknown>;
  body: unknown;
}

/** Asks over a connection of its own; rejects where there is none. */
export function ask(
  { url, ca }: Pick<SecureService, 'url' | 'ca'>,
  shown: Partial<Issued>,
  {
    path = '/access/v1/evaluation',
    headers = {},
    ...options
  }: { path?: string; headers?: Record<string, string>; maxVersion?: 'TLSv1.1' | 'TLSv1.2' } = {},
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const method = path === '/access/v1/evaluation' ? 'POST' : 'GET';
    const sent = request(
      new URL(path, url),
      {
        method,
        ca: ca.cert,
        agent: false,
        ...shown,
        ...options,
        headers: { ...(method === 'POST' && { 'content-type': 'application/json' }), ...headers },
      },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += String(chunk)));
        answer.on('error', reject);
        answer.on('end', () => {
          const { statusCode = 0, headers: heard } = answer;
          resolve({ status: statusCode, headers: heard, body: JSON.parse(text) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(method === 'POST' ? '{}' : undefined);
  });
}
