/** `GET /openapi.json`: what the service takes and answers; scripts/openapi.ts writes it. */
import document from '../openapi.gen.json' with { type: 'json' };
import type { Answer } from '../exchange.ts';

export function answerOpenApi(): Answer {
  return { status: 200, body: document };
}
