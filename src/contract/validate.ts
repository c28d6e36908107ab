/**
 * One compiled validator for each message. They return a value or the place of the first fault,
 * never the offending value. The only user of ajv.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { problemOf } from './fault_text.ts';
import { jsonPointer } from './json.ts';
import authzenEvaluationRequest from './schemas/authzen_evaluation_request.schema.json' with { type: 'json' };
import authzenEvaluationsRequest from './schemas/authzen_evaluations_request.schema.json' with { type: 'json' };
import bundleMetadata from './schemas/bundle_metadata.schema.json' with { type: 'json' };
import discoveryRequest from './schemas/discovery_request.schema.json' with { type: 'json' };
import errorResponse from './schemas/error_response.schema.json' with { type: 'json' };
import evaluationRequest from './schemas/evaluation_request.schema.json' with { type: 'json' };
import evaluationResponse from './schemas/evaluation_response.schema.json' with { type: 'json' };
import evaluationsResponse from './schemas/evaluations_response.schema.json' with { type: 'json' };
import evidenceRecord from './schemas/evidence_record.schema.json' with { type: 'json' };
import outcomeBatch from './schemas/outcome_batch.schema.json' with { type: 'json' };
import outcomeReport from './schemas/outcome_report.schema.json' with { type: 'json' };
import policyData from './schemas/policy_data.schema.json' with { type: 'json' };
import policyResult from './schemas/policy_result.schema.json' with { type: 'json' };
import redactionRequest from './schemas/redaction_request.schema.json' with { type: 'json' };
import sepDecisionRequest from './schemas/sep_decision_request.schema.json' with { type: 'json' };
import sepDecisionResponse from './schemas/sep_decision_response.schema.json' with { type: 'json' };
import staticRbac from './schemas/static_rbac.schema.json' with { type: 'json' };
import status from './schemas/status.schema.json' with { type: 'json' };
import turnedAwayReport from './schemas/turned_away_report.schema.json' with { type: 'json' };
import type * as T from './types.gen.ts';

/** Where a message breaks its schema: a JSON Pointer and the schema keyword that failed. */
export interface SchemaFault {
  pointer: string;
  keyword: string;
}

/** The same with what the schema asks for, in words. */
export interface ExplainedFault extends SchemaFault {
  problem: string;
}

export type Validated<V> = { ok: true; value: V } | { ok: false; fault: ExplainedFault };
export type Validator<V> = (value: unknown) => Validated<V>;

const ajv = new Ajv2020({
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  // Without it a fault in one kind of obligation would be reported as a wrong `type`.
  discriminator: true,
});

export interface CompileOptions {
  /**
   * Somebody else wrote the schema, of any draft: unknown keywords and formats are ignored, and
   * nothing of it is kept beyond the validator. The validator throws where it cannot be compiled.
   */
  foreign?: boolean;
}

/** Compiles a schema that lives outside the contract, such as the configuration's. */
export function compileSchema<V>(schema: object, options: CompileOptions = {}): Validator<V> {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= options.foreign ? compileForeign(schema) : ajv.compile(schema);
    if (validate(value)) return { ok: true, value: value as V };
    return { ok: false, fault: firstFault(validate.errors as ErrorObject[]) };
  };
}

/** An instance of its own, so that identifiers of foreign schemas never meet. */
function compileForeign(schema: object): ValidateFunction {
  const lenient = new Ajv2020({ strict: false, validateSchema: false, logger: false });
  // Ajv would answer an `$async` schema with a promise, which is always true.
  return lenient.compile({ ...schema, $async: false });
}

/** The fault to report: the deepest place, because alternatives also complain at their parent. */
function firstFault(errors: readonly ErrorObject[]): ExplainedFault {
  return errors
    .map((error) => ({
      pointer: placeOf(error),
      keyword: error.keyword,
      problem: problemOf(error),
    }))
    .reduce((found, fault) => (depth(found) >= depth(fault) ? found : fault));
}

/** The keywords that object to a member by its name, and where ajv tells the name. */
const NAMED_BY: Readonly<Record<string, string>> = {
  additionalProperties: 'additionalProperty',
  dependentRequired: 'missingProperty',
  propertyNames: 'propertyName',
  required: 'missingProperty',
};

const NAME_LENGTH_MAX = 128;

/** The member at fault, or the object around it where the sender chose a name beyond measure. */
function placeOf(error: ErrorObject): string {
  const param = NAMED_BY[error.keyword];
  const name: unknown = param && error.params[param];
  if (typeof name !== 'string' || name.length > NAME_LENGTH_MAX) return error.instancePath;
  return error.instancePath + jsonPointer([name]);
}

function depth({ pointer }: SchemaFault): number {
  return pointer.split('/').length;
}

export const VALIDATORS = {
  authzen_evaluation_request: compileSchema<T.AuthzenEvaluationRequest>(authzenEvaluationRequest),
  authzen_evaluations_request:
    compileSchema<T.AuthzenEvaluationsRequest>(authzenEvaluationsRequest),
  bundle_metadata: compileSchema<T.BundleMetadata>(bundleMetadata),
  discovery_request: compileSchema<T.DiscoveryRequest>(discoveryRequest),
  error_response: compileSchema<T.ErrorResponse>(errorResponse),
  evaluation_request: compileSchema<T.EvaluationRequest>(evaluationRequest),
  evaluation_response: compileSchema<T.EvaluationResponse>(evaluationResponse),
  evaluations_response: compileSchema<T.EvaluationsResponse>(evaluationsResponse),
  evidence_record: compileSchema<T.EvidenceRecord>(evidenceRecord),
  outcome_batch: compileSchema<T.OutcomeBatch>(outcomeBatch),
  outcome_report: compileSchema<T.OutcomeReport>(outcomeReport),
  policy_data: compileSchema<T.PolicyData>(policyData),
  policy_result: compileSchema<T.PolicyResult>(policyResult),
  redaction_request: compileSchema<T.RedactionRequest>(redactionRequest),
  sep_decision_request: compileSchema<T.SepDecisionRequest>(sepDecisionRequest),
  sep_decision_response: compileSchema<T.SepDecisionResponse>(sepDecisionResponse),
  static_rbac: compileSchema<T.StaticRbac>(staticRbac),
  status: compileSchema<T.Status>(status),
  turned_away_report: compileSchema<T.TurnedAwayReport>(turnedAwayReport),
} as const;
