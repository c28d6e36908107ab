/** Records as a running service gives them; it proves its answers as it does to a guard. */
import type { EvidenceRecord } from '../../contract/types.gen.ts';
import {
  openExchanger,
  type RemoteAddress,
  type RemoteRequest,
} from '../../decision/remote/exchange.ts';
import { PortcullisError } from '../../errors.ts';
import type { RecordPage, RecordQuery } from '../../evidence/index/evidence_index.ts';
import { CLOCK, RANDOM } from '../ambient.ts';
import { evidenceToken } from '../log_source.ts';
import type { RecordSource } from './record_source.ts';

/** A page is as large as the service lets it be; what is larger is no page. */
const ANSWER_BYTES_MAX = 128 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const PATH = '/v1/evidence/records';

/** Throws `CONFIGURATION_INVALID` for the token file or the URL. */
export function openService(url: string, token_file: string | undefined): RecordSource {
  const exchanger = openExchanger(
    {
      address: addressOf(url, token_file),
      timeout_ms: TIMEOUT_MS,
      answer_bytes_max: ANSWER_BYTES_MAX,
      connections_max: 1,
    },
    RANDOM,
    CLOCK,
  );
  const get = (path: string, more: Pick<RemoteRequest, 'may_be_absent'> = {}): Promise<unknown> =>
    exchanger.send({ method: 'GET', path, ...more });
  return {
    page: async (query) => (await get(`${PATH}?${queryText(query)}`)) as RecordPage,
    record: async (index) =>
      (await get(`${PATH}/${index}`, { may_be_absent: true })) as EvidenceRecord | undefined,
    close: () => exchanger.close(),
  };
}

function addressOf(url: string, token_file: string | undefined): RemoteAddress {
  const token = token_file === undefined ? undefined : evidenceToken(token_file);
  if (url.startsWith('unix:')) return { socket: url.slice('unix:'.length) };
  if (token) return { url, token: () => token };
  const message = 'a service with a URL takes a token: name its file with --token-file';
  throw new PortcullisError('ARGUMENT_INVALID', message);
}

function queryText({ filter, order, limit, cursor }: RecordQuery): string {
  const { fields, from_ms, to_ms } = filter;
  const times = { from: from_ms, to: to_ms };
  return new URLSearchParams([
    ...Object.entries(fields).flatMap(([name, values]) =>
      values.map((value): [string, string] => [name, value]),
    ),
    ...Object.entries(times).flatMap(([name, time_ms]): [string, string][] =>
      time_ms === undefined ? [] : [[name, new Date(time_ms).toISOString()]],
    ),
    ['order', order],
    ['limit', String(limit)],
    ...(cursor === undefined ? [] : [['cursor', cursor] as [string, string]]),
  ]).toString();
}
