/** Callers that ask a decision service without pause, and keep what they were answered. */
import {
  EVALUATION_PATH,
  openClient,
  type Question,
  type Reply,
} from '../../scripts/soak/client.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import type { Serving } from './fixture.ts';

/** A plain call, which the policy library denies. */
export const QUESTION: Question = {
  path: EVALUATION_PATH,
  body: JSON.stringify({
    subject: { type: 'identity', id: 'user:alice@example.com' },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'balance', properties: { server: 'payments' } },
    context: { profile: 'mcp/1', phase: 'call' },
  }),
};

export interface Load {
  /** Whole answers, in the order in which they came. */
  replies: Reply[];
  /** Requests that got no answer. */
  failures: unknown[];
  /** Resolves when so many more answers have come. */
  more(count: number): Promise<void>;
  /** Finishes what is under way. */
  stop(): Promise<void>;
}

/** Each of the callers asks the next question as soon as the one before is answered. */
export function startLoad(service: Serving, callers: number, next: () => Question): Load {
  const [token] = readTokens(service.token_file);
  const client = openClient(service.url, token?.token ?? '', callers);
  const replies: Reply[] = [];
  const failures: unknown[] = [];
  const waiting: { at: number; resolve: () => void }[] = [];
  let running = true;
  const loops = Array.from({ length: callers }, async () => {
    while (running) {
      try {
        replies.push(await client.ask(next()));
        while (waiting[0] && replies.length >= waiting[0].at) waiting.shift()?.resolve();
      } catch (error) {
        failures.push(error);
        running = false;
      }
    }
  });
  return {
    replies,
    failures,
    more: async (count) => {
      const reached = new Promise<void>((resolve) => {
        waiting.push({ at: replies.length + count, resolve });
      });
      await Promise.race([reached, Promise.all(loops)]);
    },
    stop: async () => {
      running = false;
      await Promise.all(loops);
      await client.close();
    },
  };
}

/** Every evaluation id that was answered with a decision. */
export function answeredIds({ replies }: Load): string[] {
  return replies.flatMap(({ status, evaluation_id }) =>
    status === 200 && evaluation_id !== undefined ? [evaluation_id] : [],
  );
}
