/** `GET /.well-known/authzen-configuration` (AuthZEN Authorization API 1.0, section 9). */
import type { Answer, Exchange } from '../exchange.ts';

export function answerMetadata({ base_url }: Exchange): Answer {
  return {
    status: 200,
    body: {
      policy_decision_point: base_url,
      access_evaluation_endpoint: `${base_url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${base_url}/access/v1/evaluations`,
    },
  };
}
