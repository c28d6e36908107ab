/**
 * The vectors of the AuthZEN working group (interop/authzen-todo-backend and authzen-api-gateways)
 * against a running service. They are read where they lie; each request and each answer fits the
 * published JSON Schemas.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { published } from '../../support/prerequisite.ts';
import { describeWithOpa } from '../../support/toolchain.ts';
import { EVALUATION, EVALUATIONS, serveAuthzen, type AuthzenService } from './fixture.ts';

const VECTORS = join(import.meta.dirname, '../../../../shared/vectors/authzen');
const describePublished = published('the AuthZEN vectors', existsSync(VECTORS));

interface Vectors {
  evaluation: { request: object; expected: boolean }[];
  evaluations?: { request: Batch; expected: { decision: boolean }[] }[];
}
type Batch = object & { evaluations: object[] };

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(VECTORS, name), 'utf8'));
}

describePublished('published by the AuthZEN working group', () => {
  describeWithOpa('the vectors', () => {
    let service: AuthzenService;
    let isRequest: ValidateFunction;
    let isResponse: ValidateFunction;
    beforeAll(async () => {
      const ajv = new Ajv2020({ strict: false });
      isRequest = ajv.compile(read('evaluation-request.schema.json') as object);
      isResponse = ajv.compile(read('evaluation-response.schema.json') as object);
      service = await serveAuthzen();
    });
    afterAll(() => service?.close());

    async function decide(request: object): Promise<unknown> {
      expect(isRequest(request)).toBe(true);
      const { status, body } = await service.post(EVALUATION, request);
      expect([status, isResponse(body)]).toEqual([200, true]);
      return (body as { decision: unknown }).decision;
    }

    test.each([
      ['todo-1_1.decisions.json', 40],
      ['api-gateway.decisions.json', 25],
    ])('%s: %i evaluations', async (file, count) => {
      const { evaluation } = read(file) as Vectors;
      expect(evaluation).toHaveLength(count);
      for (const { request, expected } of evaluation) {
        expect({ request, decision: await decide(request) }).toEqual({
          request,
          decision: expected,
        });
      }
    });

    test('todo-1_1.decisions.json: 3 batches', async () => {
      const { evaluations = [] } = read('todo-1_1.decisions.json') as Vectors;
      expect(evaluations).toHaveLength(3);
      for (const { request, expected } of evaluations) {
        const { evaluations: entries, ...top } = request;
        for (const entry of entries) expect(isRequest({ ...top, ...entry })).toBe(true);
        const { status, body } = await service.post(EVALUATIONS, request);
        const answers = (body as Batch).evaluations;
        expect([status, answers.every((answer) => isResponse(answer))]).toEqual([200, true]);
        expect(answers.map((answer) => ({ ...answer, context: undefined }))).toEqual(expected);
      }
    });
  });
});
