/** Witnesses with a real state and a real server, and what logs send to them. */
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';
import { ED25519, formatVerifierKey, parseVerifierKey } from '../../src/verify/key.ts';
import { newSigningKey, openCosigner, type Cosigner } from '../../src/witness/cosigner.ts';
import { createWitnessServer } from '../../src/witness/service.ts';
import { openWitnessState, type WitnessState } from '../../src/witness/state.ts';
import { Witness } from '../../src/witness/witness.ts';
import {
  checkpointOf,
  consistencyOf,
  leafOf,
  logSigner,
  type Signer,
} from '../support/small_log.ts';

export const LOG = logSigner('example.com/log');
export const KEY_TEXT = newSigningKey('witness.example/w1');
export const NOW_S = 1_800_000_000;

const left: (() => void)[] = [];
afterEach(() => {
  for (const end of left.splice(0).reverse()) end();
});

/** A folder that is gone after the test. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-witness-'));
  left.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Scene {
  witness: Witness;
  cosigner: Cosigner;
  state: WitnessState;
  /** The codes of what logs did, as the operator of the witness was told. */
  accusations: unknown[];
  log: Logger;
}

export interface SceneOptions {
  folder?: string;
  logs?: readonly Signer[];
  now_s?: () => number;
  /** What stands between the witness and its state. */
  around?: (state: WitnessState) => WitnessState;
}

export function openScene(options: SceneOptions = {}): Scene {
  const { folder = freshFolder(), around } = options;
  const opened = openWitnessState(folder);
  left.push(() => opened.close());
  return witnessOver(around ? around(opened) : opened, options);
}

/** The same over a state that is open. */
export function witnessOver(
  state: WitnessState,
  { logs = [LOG], now_s = () => NOW_S }: SceneOptions = {},
): Scene {
  const cosigner = openCosigner(KEY_TEXT) as Cosigner;
  const accusations: unknown[] = [];
  const log = loggerInto(accusations);
  const witness = new Witness({
    logs: logs.map(({ vkey }) => parseVerifierKey(vkey, [ED25519])),
    cosigner,
    state,
    clock: { now_ms: () => now_s() * 1000 },
    log,
  });
  return { witness, cosigner, state, accusations, log };
}

function loggerInto(accusations: unknown[]): Logger {
  const nothing = (): void => {};
  const error = (_message: string, { code }: LogFields = {}): void => void accusations.push(code);
  const log = { debug: nothing, info: nothing, warn: nothing, error, child: () => log };
  return log;
}

/** Serves a witness; resolves with its URL. */
export async function serveScene({ witness, log }: Scene): Promise<string> {
  const server: Server = createWitnessServer(witness, log);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  left.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The body of add-checkpoint for a log that has grown from `old` entries to these. */
export function submission(
  old: number,
  entries: readonly string[],
  signers: readonly Signer[] = [LOG],
): string {
  const leaves = entries.map(leafOf);
  const path = old === 0 || old > leaves.length ? [] : consistencyOf(old, leaves);
  return bodyWith(old, path, checkpointOf(entries, signers));
}

export function bodyWith(old: number, path: readonly Buffer[], checkpoint: string): string {
  const lines = [`old ${old}`, ...path.map((hash) => hash.toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

export async function post(url: string, body: string): Promise<[status: number, text: string]> {
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
  return [response.status, await response.text()];
}

/** The second of a cosignature over a text, verified by hand; undefined where it is false. */
export function cosignedAt(line: string, text: string, { key }: Cosigner): number | undefined {
  const [, name, encoded = ''] = /^— (\S+) (\S+)\n$/u.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const time_s = Number(bytes.readBigUInt64BE(4));
  const material = Buffer.from(formatVerifierKey(key).split('+').slice(2).join('+'), 'base64');
  const x = material.subarray(1).toString('base64url');
  const known = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const message = Buffer.from(`cosignature/v1\ntime ${time_s}\n${text}`);
  const is_true = name === key.name && bytes.toString('hex', 0, 4) === key.id;
  return is_true && verify(null, message, known, bytes.subarray(12)) ? time_s : undefined;
}
