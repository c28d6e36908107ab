/** Fetches a set of keys: from where it was said that they are, and nowhere else. */
import { jsonFaultText } from '../../contract/fault_text.ts';
import { JSON_LIMITS, parseJson } from '../../contract/json.ts';
import { systemReason } from '../../contract/system_reason.ts';
import { Unproved } from '../proof.ts';
import { readKeySet, type KeySet } from './key_set.ts';

export interface FetchLimits {
  timeout_ms: number;
  size_bytes_max: number;
}

export type FetchedKeys =
  | { ok: true; set: KeySet; max_age_seconds: number | undefined }
  /** Holds nothing of the answer. */
  | { ok: false; why: string };

/** Never rejects. */
export async function fetchKeys(url: string, limits: FetchLimits): Promise<FetchedKeys> {
  try {
    // A redirect would let whoever answers choose whose keys are believed.
    const response = await fetch(url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(limits.timeout_ms),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { ok: false, why: `the key server answered with status ${response.status}` };
    }
    const { size_bytes_max } = limits;
    const parsed = parseJson(await readBody(response, size_bytes_max), {
      ...JSON_LIMITS,
      size_bytes_max,
    });
    if (!parsed.ok) return { ok: false, why: `the key set: ${jsonFaultText(parsed.fault)}` };
    const max_age_seconds = maxAgeOf(response.headers.get('cache-control'));
    return { ok: true, set: readKeySet(parsed.value), max_age_seconds };
  } catch (error) {
    return { ok: false, why: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Unproved) return `the key set: ${error.message}`;
  const { name, cause } = error as { name?: unknown; cause?: unknown };
  if (name === 'TimeoutError') return 'the key server did not answer in time';
  return `the key server cannot be reached: ${systemReason(cause)}`;
}

/** The body as far as it is within the limit, and one byte more where it is not. */
async function readBody(response: Response, size_bytes_max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > size_bytes_max) break;
  }
  return Buffer.concat(chunks);
}

/** RFC 9111, section 5.2.2; undefined where the answer says nothing. */
function maxAgeOf(header: string | null): number | undefined {
  const directives = (header ?? '').toLowerCase().split(',');
  const named = directives.map((directive) => directive.trim());
  if (named.includes('no-store') || named.includes('no-cache')) return 0;
  const [seconds] = named.flatMap((each) => /^max-age="?(\d{1,9})"?$/.exec(each)?.[1] ?? []);
  return seconds === undefined ? undefined : Number(seconds);
}
