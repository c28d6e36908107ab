/** What the OpenAPI document says of each route beside what the table of routes does. */

import { FIELD_NAMES } from '../src/evidence/index/fields.ts';

/** A schema of the contract by its name, several of which one fits, or one that stands here. */
export type Shape = { schemas: readonly string[] } | { inline: object } | { media_type: string };

export interface Operation {
  id: string;
  summary: string;
  description?: string;
  request?: Shape;
  response: Shape;
  /** Names of further parameters. */
  parameters?: readonly string[];
  /** Whether what the path names may not be there, which is told by 404. */
  may_be_absent?: true;
  /** Whether the answer carries the header `Portcullis-Evaluation-Id`. */
  evaluates?: true;
  /** The answer of another status that is no error. */
  other?: { status: number; description: string };
}

/** It is among the schemas of the document, because another route answers one. */
const RECORD = { $ref: '#/components/schemas/EvidenceRecord' };
const FLAG = { type: 'boolean' };
const COUNT = { type: 'integer', minimum: 0 };
const ADDRESS = { type: 'string', pattern: '^https?://' };

function closed(properties: Readonly<Record<string, object>>): Shape {
  const required = Object.keys(properties);
  return { inline: { type: 'object', properties, required, additionalProperties: false } };
}

/** By method and path, each route of the table. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'POST /access/v1/evaluation': {
    id: 'evaluation',
    summary: 'One decision (AuthZEN Authorization API 1.0, section 6)',
    description:
      'A request whose `context.profile` is `mcp/1` is read strictly; of any other, members that ' +
      'are not known are ignored. A deny is answered with 200.',
    request: { schemas: ['evaluation_request', 'authzen_evaluation_request'] },
    response: { schemas: ['evaluation_response'] },
    evaluates: true,
  },
  'POST /access/v1/evaluations': {
    id: 'evaluations',
    summary: 'A batch of decisions, or what of a catalogue is visible',
    description:
      'AuthZEN Authorization API 1.0, section 7. With `options.portcullis.discovery` it is a ' +
      'list of capabilities. Without entries it is one evaluation and answered like one.',
    request: { schemas: ['discovery_request', 'authzen_evaluations_request'] },
    response: { schemas: ['evaluations_response', 'evaluation_response'] },
    evaluates: true,
  },
  'POST /v1/decision': {
    id: 'decision',
    summary: 'One decision by the external decision profile of the SEP',
    request: { schemas: ['sep_decision_request'] },
    response: { schemas: ['sep_decision_response'] },
    evaluates: true,
  },
  'POST /v1/outcomes': {
    id: 'outcome',
    summary: 'Reports what was done with decisions, or that callers were turned away',
    description:
      'The answer says that all of it is recorded: how much now, and how much was before, ' +
      'for what comes again from the same caller is no further record.',
    request: { schemas: ['outcome_report', 'outcome_batch', 'turned_away_report'] },
    response: closed({ recorded: COUNT, repeated: COUNT }),
  },
  'POST /v1/evidence/redactions': {
    id: 'redaction',
    summary: 'Removes what records of the evidence seal',
    description:
      'The answer says that it is removed for good: how many records it was about, and the index ' +
      'of the record that says so. What was interrupted is finished by asking again. A caller ' +
      'that is bound to tenants reaches their records only.',
    request: { schemas: ['redaction_request'] },
    response: closed({ index: COUNT, records: COUNT }),
  },
  'GET /v1/status': {
    id: 'status',
    summary: 'The active policy and the arguments that it needs; also told while nothing is ready',
    parameters: ['policy_tenant'],
    response: { schemas: ['status'] },
  },
  'GET /v1/evidence/checkpoint': {
    id: 'checkpoint',
    summary: 'The newest signed checkpoint of the evidence log (C2SP tlog-checkpoint)',
    description: 'The URL of the log for verifiers and witnesses is `/v1/evidence`.',
    response: { media_type: 'text/plain' },
  },
  'GET /v1/evidence/tile/{path}': {
    id: 'tile',
    summary: 'A tile of hashes, or a bundle of entries (C2SP tlog-tiles)',
    description:
      '`path` is `<level>/<index>` or `entries/<index>`, the index in elements of three digits ' +
      'such as `x001/x234/067`, and `.p/<width>` behind it for one that is not full. A caller ' +
      'that is bound to tenants is refused.',
    parameters: ['path'],
    response: { media_type: 'application/octet-stream' },
    may_be_absent: true,
  },
  'GET /v1/evidence/records': {
    id: 'records',
    summary: 'Records by what they hold, a page at a time',
    description:
      'A filter that is given again is another value that is looked for. A caller that is bound ' +
      'to tenants has the records of their subjects only.',
    parameters: [...FIELD_NAMES, 'from', 'to', 'order', 'limit', 'cursor'],
    response: {
      inline: {
        type: 'object',
        properties: {
          records: { type: 'array', items: RECORD },
          next: { type: ['string', 'null'], description: 'The `cursor` of the next page.' },
        },
        required: ['records', 'next'],
        additionalProperties: false,
      },
    },
  },
  'GET /v1/evidence/records/{index}': {
    id: 'record',
    summary: 'A record by its place in the log',
    parameters: ['index'],
    response: { schemas: ['evidence_record'] },
    may_be_absent: true,
  },
  'GET /v1/evidence/receipts/{record}': {
    id: 'receipt',
    summary: 'The receipt of a record (C2SP tlog-proof), by its index or evaluation id',
    parameters: ['record'],
    response: { media_type: 'text/plain' },
    may_be_absent: true,
  },
  'GET /health': {
    id: 'health',
    summary: 'Whether the process answers, and whether it decides',
    response: closed({ live: FLAG, ready: FLAG }),
  },
  'GET /health/live': {
    id: 'live',
    summary: 'Whether the process answers',
    response: closed({ live: FLAG }),
  },
  'GET /health/ready': {
    id: 'ready',
    summary: 'Whether it decides, told by the status too',
    response: closed({ ready: FLAG }),
    other: { status: 503, description: 'It does not decide.' },
  },
  'GET /.well-known/authzen-configuration': {
    id: 'metadata',
    summary: 'The addresses of the AuthZEN endpoints (Authorization API 1.0, section 9)',
    response: closed({
      policy_decision_point: ADDRESS,
      access_evaluation_endpoint: ADDRESS,
      access_evaluations_endpoint: ADDRESS,
    }),
  },
  'GET /openapi.json': {
    id: 'openapi',
    summary: 'This document',
    response: { inline: { type: 'object', required: ['openapi', 'info', 'paths'] } },
  },
};
