/** Opens a receiver of evidence on HTTP, with what proves us to it and it to us. */
import type { Configuration } from '../config/types.gen.ts';
import { readForeignUrl } from '../decision/foreign/client.ts';
import { openConnection, type HttpFaults } from '../decision/http/connection.ts';
import { PortcullisError } from '../errors.ts';
import type { HttpReceiver } from '../evidence/exports/receiver.ts';
import { CLOCK } from './ambient.ts';
import { readCertificate, watchedHeaders, watchedToken } from './secrets.ts';

type Export = Configuration['evidence']['exports'][number];
type ReceiverSettings = Pick<
  Export,
  'url' | 'token_file' | 'headers_file' | 'ca_file' | 'timeout_ms'
>;

/** Answers are short; a longer one is none. */
const ANSWER_BYTES_MAX = 1_048_576;

/** Each file is read once, so that a start with one that cannot be used fails and says so. */
export function openReceiver(settings: ReceiverSettings): HttpReceiver {
  const { url, token_file, headers_file, ca_file, timeout_ms } = settings;
  const { origin, base } = readForeignUrl(url ?? '', 'evidence.exports');
  const tls = ca_file !== null && (() => ({ ca: readCertificate('CA file', ca_file) }));
  if (tls) tls();
  const token = token_file === null ? undefined : watchedToken(token_file, CLOCK);
  const headersOf = headers_file === null ? undefined : watchedHeaders(headers_file, CLOCK);
  const connection = openConnection(
    {
      address: { origin, ...(tls && { tls }) },
      timeout_ms,
      answer_bytes_max: ANSWER_BYTES_MAX,
      connections_max: 1,
    },
    FAULTS,
  );
  return {
    async post({ path, headers, body, signal }) {
      const secrets = {
        ...headersOf?.(),
        ...(token && { authorization: `Bearer ${token()}` }),
      };
      const answer = await connection.send({
        method: 'POST',
        path: `${base}${path}`,
        headers: { ...secrets, ...headers },
        body,
        signal,
      });
      const retry_after = answer.headers['retry-after'];
      return {
        status: answer.status,
        body: answer.body,
        retry_after: typeof retry_after === 'string' ? retry_after : undefined,
      };
    },
    close: () => connection.close(),
  };
}

const unreachable = (reason: string, cause?: unknown): PortcullisError =>
  new PortcullisError('UPSTREAM_FAILED', `the receiver did not answer: ${reason}`, { cause });

const FAULTS: HttpFaults = {
  unreachable,
  untrusted: unreachable,
  unproved: (_code, cause) => unreachable('its certificate is not taken', cause),
};
