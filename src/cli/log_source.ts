/** Where a log lies: a folder, or a prefix on a web server. */
import { join } from 'node:path';
import { systemReason } from '../contract/system_reason.ts';
import { PortcullisError } from '../errors.ts';
import type { LogSource } from '../verify/tiles.ts';
import { readAtMost } from './limited_file.ts';

const TIMEOUT_MS = 30_000;
const ABSENT = new Set([404, 410]);

/** Reading rejects with `UPSTREAM_FAILED` where it cannot be found out what is there. */
export function openLogSource(place: string): LogSource {
  return /^https?:\/\//.test(place) ? webSource(place) : folderSource(place);
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

function webSource(prefix: string): LogSource {
  if (!URL.canParse(prefix)) {
    throw new PortcullisError('ARGUMENT_INVALID', `\`${prefix}\` is no URL`);
  }
  const base = new URL(prefix.endsWith('/') ? prefix : `${prefix}/`);
  return {
    async read(path, bytes_max) {
      try {
        return await fetchAtMost(new URL(path, base), bytes_max);
      } catch (cause) {
        if (cause instanceof PortcullisError) throw cause;
        throw failed(`\`${path}\` of the log cannot be fetched`, cause);
      }
    },
  };
}

async function fetchAtMost(url: URL, bytes_max: number): Promise<Buffer | undefined> {
  const response = await fetch(url, {
    headers: { 'Accept-Encoding': 'gzip, identity' },
    // A log that points elsewhere is another log.
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    if (ABSENT.has(response.status)) return undefined;
    throw failed(`the log answers ${response.status}`);
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

function failed(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('UPSTREAM_FAILED', message, cause === undefined ? {} : { cause });
}
