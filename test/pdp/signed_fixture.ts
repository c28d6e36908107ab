/** A service whose clock stands still, and requests that were signed at a time. */
import {
  PROOF_HEADERS,
  signedAuthorization,
  type SignedRequest,
} from '../../src/contract/proof.ts';
import type { ServiceSettings } from '../../src/pdp/service.ts';
import { recordingCore, send, start, tokenOf, type Started } from './fixture.ts';

const PATH = '/access/v1/evaluation';

/** The headers of a signed request. */
export function signedHeaders(request: SignedRequest): Record<string, string> {
  return {
    authorization: signedAuthorization(tokenOf([]), request),
    [PROOF_HEADERS.nonce]: request.nonce,
    [PROOF_HEADERS.time]: request.time,
  };
}

/** An evaluation, signed anew. */
export function signedCall(changes: Partial<SignedRequest> = {}): SignedRequest {
  const [nonce, time] = [crypto.randomUUID(), new Date().toISOString()];
  return { nonce, time, method: 'POST', target: PATH, body: '{}', ...changes };
}

export interface Clocked extends Started {
  /** Sends one that was signed so many seconds after the start; resolves with the status. */
  sendSigned(second: number): Promise<string>;
}

/** A service that began 30 seconds before the time that its clock shows. */
export async function startClocked(settings: Partial<ServiceSettings>): Promise<Clocked> {
  const started_ms = Date.UTC(2027, 0, 1);
  let now_ms = started_ms;
  const service = await start(recordingCore(), settings, undefined, { now_ms: () => now_ms });
  now_ms += 30_000;
  return {
    ...service,
    async sendSigned(second) {
      const time = new Date(started_ms + second * 1_000).toISOString();
      const headers = signedHeaders(signedCall({ time }));
      return String((await send(service.url, PATH, { body: '{}', headers })).status);
    },
  };
}
