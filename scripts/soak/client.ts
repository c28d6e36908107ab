/** A client of a decision service that keeps its connections, for load. */
import { Pool } from 'undici';

export interface Question {
  method?: 'GET' | 'POST';
  path: string;
  /** Text or bytes as they go over the wire; none for a GET. */
  body?: string | Uint8Array;
  /** Laid over what a proper request has; null takes a header away. */
  headers?: Readonly<Record<string, string | null>>;
}

export interface Reply {
  status: number;
  /** Of an answer that was decided. */
  evaluation_id: string | undefined;
  body: unknown;
}

export interface Client {
  /** Rejects where no whole answer came. */
  ask(question: Question): Promise<Reply>;
  close(): Promise<void>;
}

export const EVALUATION_PATH = '/access/v1/evaluation';
export const EVALUATIONS_PATH = '/access/v1/evaluations';

export function openClient(url: string, token: string, connections: number): Client {
  const pool = new Pool(url, { connections, pipelining: 1 });
  return {
    async ask({ method = 'POST', path, body, headers }) {
      const proper: Record<string, string | null> = {
        authorization: `Bearer ${token}`,
        'content-type': body === undefined ? null : 'application/json',
        ...headers,
      };
      const answer = await pool.request({
        method,
        path,
        headers: Object.entries(proper).flatMap(([name, value]) =>
          value === null ? [] : [name, value],
        ),
        ...(body === undefined ? {} : { body }),
      });
      const text = await answer.body.text();
      const id = answer.headers['portcullis-evaluation-id'];
      return {
        status: answer.statusCode,
        evaluation_id: typeof id === 'string' ? id : undefined,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
    },
    close: () => pool.destroy(),
  };
}
