/**
 * `GET /health`, `/health/live` and `/health/ready`, open to everybody, so they tell nothing but
 * the state: live says that the process answers, ready that it would decide.
 */
import type { Answer, Exchange } from '../exchange.ts';

export function answerHealth({ core }: Exchange): Answer {
  return { status: 200, body: { live: true, ready: core.status().ready } };
}

export function answerLive(): Answer {
  return { status: 200, body: { live: true } };
}

export function answerReady({ core }: Exchange): Answer {
  const { ready } = core.status();
  return { status: ready ? 200 : 503, body: { ready } };
}
