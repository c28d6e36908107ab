/** Reading a request body: once, within its limit, and only as JSON. */
import type { IncomingMessage } from 'node:http';
import { parseJson, JSON_LIMITS, type JsonFault } from '../contract/json.ts';
import { PortcullisError } from '../errors.ts';

const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

/** Whether the headers announce plain JSON: a form or a compressed body is never guessed at. */
export function announcesJson({ headers }: IncomingMessage): boolean {
  const { 'content-encoding': encoding = 'identity', 'transfer-encoding': framing = 'chunked' } =
    headers;
  return (
    JSON_TYPE.test(headers['content-type'] ?? '') &&
    encoding.toLowerCase() === 'identity' &&
    framing.toLowerCase() === 'chunked'
  );
}

/**
 * The bytes of the body. Rejects with `REQUEST_TOO_LARGE` as soon as the limit is known to be
 * passed (what still comes is discarded), and with `WIRE_INVALID` where the client breaks off.
 */
export function readBody(request: IncomingMessage, size_bytes_max: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > size_bytes_max) {
      reject(tooLarge(size_bytes_max));
      return;
    }
    const chunks: Buffer[] = [];
    let size_bytes = 0;
    request.on('data', (chunk: Buffer) => {
      size_bytes += chunk.length;
      if (size_bytes > size_bytes_max) {
        chunks.length = 0;
        reject(tooLarge(size_bytes_max));
      } else chunks.push(chunk);
    });
    request.on('end', () => {
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    request.on('error', (cause) => {
      const message = 'the request broke off before its end';
      reject(new PortcullisError('WIRE_INVALID', message, { cause }));
    });
  });
}

const JSON_FAULTS: Readonly<Record<JsonFault['code'], string>> = {
  too_large: 'the body is larger than the limit',
  not_utf8: 'the body is not UTF-8',
  malformed: 'the body is not JSON',
  too_deep: `the body is nested deeper than ${JSON_LIMITS.depth_max} levels`,
  duplicate_name: 'an object has a member twice',
  lone_surrogate: 'a text holds half of a surrogate pair',
  forbidden_name: 'a member has a name that is not taken',
  number_out_of_range: 'a number is larger than a double can hold',
};

/** The body as a value. Throws `REQUEST_INVALID` with the place, never with what stands there. */
export function parseBody(body: Uint8Array, size_bytes_max: number): unknown {
  const parsed = parseJson(body, { ...JSON_LIMITS, size_bytes_max });
  if (parsed.ok) return parsed.value;
  const { code, pointer } = parsed.fault;
  throw new PortcullisError('REQUEST_INVALID', JSON_FAULTS[code], { pointer });
}

function tooLarge(size_bytes_max: number): PortcullisError {
  return new PortcullisError('REQUEST_TOO_LARGE', `a body holds at most ${size_bytes_max} bytes`);
}
