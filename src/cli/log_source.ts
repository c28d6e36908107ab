/** Where a log lies: a folder, or a prefix on a web server. */
import { join } from 'node:path';
import { keysOf, PROOF_HEADERS, signedAuthorization, type HeldToken } from '../contract/proof.ts';
import { systemReason } from '../contract/system_reason.ts';
import { PortcullisError } from '../errors.ts';
import { readTokens } from '../pdp/token_file.ts';
import type { LogSource } from '../verify/tiles.ts';
import { CLOCK, RANDOM } from './ambient.ts';
import { readAtMost } from './limited_file.ts';

const TIMEOUT_MS = 30_000;
const ABSENT = new Set([404, 410]);

/**
 * Reading rejects with `UPSTREAM_FAILED` where it cannot be found out what is there. With a file of
 * tokens each request of a log on the web is signed by one, which itself is never sent.
 */
export function openLogSource(place: string, token_file?: string): LogSource {
  if (/^https?:\/\//.test(place)) return webSource(place, token_file);
  if (token_file === undefined) return folderSource(place);
  throw new PortcullisError('ARGUMENT_INVALID', '--token-file belongs to a log with a URL');
}

function folderSource(folder: string): LogSource {
  return {
    async read(path, bytes_max) {
      try {
        return await readAtMost(join(folder, path), bytes_max);
      } catch (cause) {
        throw failed(`\`${path}\` of the log cannot be read: ${systemReason(cause)}`, cause);
      }
    },
  };
}

function webSource(prefix: string, token_file: string | undefined): LogSource {
  if (!URL.canParse(prefix)) {
    throw new PortcullisError('ARGUMENT_INVALID', `\`${prefix}\` is no URL`);
  }
  const base = new URL(prefix.endsWith('/') ? prefix : `${prefix}/`);
  const token = token_file === undefined ? undefined : evidenceToken(token_file);
  return {
    async read(path, bytes_max) {
      try {
        return await fetchAtMost(new URL(path, base), token, bytes_max);
      } catch (cause) {
        if (cause instanceof PortcullisError) throw cause;
        throw failed(`\`${path}\` of the log cannot be fetched`, cause);
      }
    },
  };
}

async function fetchAtMost(
  url: URL,
  token: HeldToken | undefined,
  bytes_max: number,
): Promise<Buffer | undefined> {
  const response = await fetch(url, {
    headers: { 'Accept-Encoding': 'gzip, identity', ...(token && signedHeaders(token, url)) },
    // A log that points elsewhere is another log.
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    if (ABSENT.has(response.status)) return undefined;
    throw failed(`the log answers ${response.status}${REMEDIES[response.status] ?? ''}`);
  }
  const chunks: Uint8Array[] = [];
  let size_bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size_bytes += chunk.length;
    if (size_bytes > bytes_max) break;
  }
  return Buffer.concat(chunks).subarray(0, bytes_max + 1);
}

const REMEDIES: Readonly<Record<number, string>> = {
  401: ': it takes a token, in a file that --token-file names',
  403: ': the token is not for reading all evidence (scope `evidence`, bound to no tenants)',
};

/** The token of a file that may read evidence. Throws `CONFIGURATION_INVALID`. */
export function evidenceToken(file: string): HeldToken {
  const tokens = readTokens(file);
  const found = tokens.find(({ scopes }) => scopes.includes('evidence'));
  if (found) return { id: found.id, ...keysOf(found.token) };
  const message = `the token file \`${file}\` has no token with the scope \`evidence\``;
  throw new PortcullisError('CONFIGURATION_INVALID', message);
}

function signedHeaders(token: HeldToken, { pathname, search }: URL): Record<string, string> {
  const time = new Date(CLOCK.now_ms()).toISOString();
  const signed = { nonce: RANDOM.id(), time, method: 'GET', target: pathname + search, body: '' };
  return {
    authorization: signedAuthorization(token, signed),
    [PROOF_HEADERS.nonce]: signed.nonce,
    [PROOF_HEADERS.time]: time,
  };
}

function failed(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('UPSTREAM_FAILED', message, cause === undefined ? {} : { cause });
}
