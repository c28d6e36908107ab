/** Every route of the service, with the scope that it takes. */
import { answerDecision } from './endpoints/decision.ts';
import { answerEvaluation } from './endpoints/evaluation.ts';
import { answerEvaluations } from './endpoints/evaluations.ts';
import { answerReceipt, answerRecord, answerRecords } from './endpoints/evidence_records.ts';
import { answerCheckpoint, answerTile } from './endpoints/evidence_tree.ts';
import { answerHealth, answerLive, answerReady } from './endpoints/health.ts';
import { answerMetadata } from './endpoints/metadata.ts';
import { answerOpenApi } from './endpoints/openapi.ts';
import { answerOutcome } from './endpoints/outcomes.ts';
import { answerRedaction } from './endpoints/redactions.ts';
import { answerStatus } from './endpoints/status.ts';
import type { Route } from './exchange.ts';

export const EVALUATION_PATH = '/access/v1/evaluation';
export const EVALUATIONS_PATH = '/access/v1/evaluations';

export const ROUTES: readonly Route[] = [
  { method: 'POST', path: EVALUATION_PATH, scope: 'decide', handler: answerEvaluation },
  { method: 'POST', path: EVALUATIONS_PATH, scope: 'decide', handler: answerEvaluations },
  { method: 'POST', path: '/v1/decision', scope: 'decide', handler: answerDecision },
  { method: 'POST', path: '/v1/outcomes', scope: 'decide', handler: answerOutcome },
  {
    method: 'POST',
    path: '/v1/evidence/redactions',
    scope: 'administer',
    handler: answerRedaction,
  },
  { method: 'GET', path: '/v1/status', scope: 'decide', handler: answerStatus },
  {
    method: 'GET',
    path: '/v1/evidence/checkpoint',
    scope: 'evidence',
    handler: answerCheckpoint,
  },
  { method: 'GET', path: '/v1/evidence/tile/{path}', scope: 'evidence', handler: answerTile },
  { method: 'GET', path: '/v1/evidence/records', scope: 'evidence', handler: answerRecords },
  {
    method: 'GET',
    path: '/v1/evidence/records/{index}',
    scope: 'evidence',
    handler: answerRecord,
  },
  {
    method: 'GET',
    path: '/v1/evidence/receipts/{record}',
    scope: 'evidence',
    handler: answerReceipt,
  },
  { method: 'GET', path: '/health', scope: null, handler: answerHealth },
  { method: 'GET', path: '/health/live', scope: null, handler: answerLive },
  { method: 'GET', path: '/health/ready', scope: null, handler: answerReady },
  {
    method: 'GET',
    path: '/.well-known/authzen-configuration',
    scope: null,
    handler: answerMetadata,
  },
  { method: 'GET', path: '/openapi.json', scope: null, handler: answerOpenApi },
];
