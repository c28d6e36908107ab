import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { SEP_ACTIONS } from '../../src/contract/sep_actions.ts';
import { readSepRequest } from '../../src/decision/sep.ts';
import {
  CALLER,
  codeOf,
  foreignBundle,
  sceneOf,
  STRANGER,
  type Scene,
} from '../support/decisions.ts';
import { published } from '../support/prerequisite.ts';
import { describeWithOpa } from '../support/toolchain.ts';

/** Restarting needs a human's approval in production, or for the tenant of that name. */
const OPERATIONS = `package operations
default decision := {"decision": "deny", "visible": true}
decision := {
  "decision": "require_approval",
  "constraints": {
    "actor_required": "human",
    "approval_required": true,
    "require_approval_via": "task",
  },
  "reason_code": "PRODUCTION_CHANGE_REQUIRES_APPROVAL",
} if {
  "sre" in input.subject.properties.groups
  input.resource == {"type": "tool", "id": "restart_service", "properties": {"server": "default"}}
  input.action == {"name": "tools/call", "properties": {"verb": "execute"}}
  input.context.arguments.service
  _in_production
}
decision := {"decision": "allow"} if input.resource.id == "read_logs"
decision := {
  "decision": "allow",
  "obligations": [{"type": "keep_fields", "paths": [], "unstructured": "drop"}],
} if input.resource.id == "customers"
decision := {
  "decision": "deny",
  "visible": false,
  "reason_code": "SECRET",
} if input.resource.id == "hidden"
decision := {"decision": "allow"} if {
  input.action.name == "resources/read"
  input.context.claimed.approval.present
}
_in_production if input.context.environment.deployment == "production"
_in_production if input.subject.properties.tenant == "production"
`;

const scene = async (): Promise<Scene> =>
  sceneOf(await foreignBundle(OPERATIONS, ['operations/decision']));

const REQUEST = {
  subject: { principal: 'user:carol@example.com', actor_type: 'human', groups: ['sre'] },
  capability: { type: 'tool', name: 'restart_service' },
  action: 'execute',
  arguments: { service: 'search' },
  environment: { deployment: 'production' },
};
const APPROVAL = {
  decision: 'require_approval',
  constraints: { actor_required: 'human', approval_required: true, require_approval_via: 'task' },
  reason_code: 'PRODUCTION_CHANGE_REQUIRES_APPROVAL',
  safe_message: 'This operation requires approval before execution.',
};
const DENIED = {
  decision: 'deny',
  reason_code: 'POLICY_DENIED',
  safe_message: 'The server policy does not allow this operation.',
};
const tool = (name: string): object => ({ ...REQUEST, capability: { type: 'tool', name } });

async function answerTo(request: object, caller = CALLER): Promise<object> {
  const { core } = await scene();
  const { body } = await core.sepDecision(request, caller);
  expect(VALIDATORS.sep_decision_response(body)).toMatchObject({ ok: true });
  return body;
}

describeWithOpa('the SEP decision profile', () => {
  test.each<[string, object, object]>([
    ['an approval', REQUEST, APPROVAL],
    [
      'an allow',
      tool('read_logs'),
      {
        decision: 'allow',
        reason_code: 'ALLOWED',
        safe_message: 'The server policy allows this operation.',
      },
    ],
    ['a deny', { ...REQUEST, environment: {} }, DENIED],
    [
      'a duty that the profile has no word for',
      tool('customers'),
      {
        decision: 'deny',
        reason_code: 'OBLIGATION_UNSUPPORTED',
        safe_message: 'The server cannot meet a condition of this operation.',
      },
    ],
    ['what is hidden', tool('hidden'), { ...DENIED, reason_code: 'CAPABILITY_NOT_ALLOWED' }],
    [
      'the tenant in either place (R3)',
      { ...REQUEST, environment: { tenant: 'production' } },
      APPROVAL,
    ],
    [
      'the tenant in both',
      {
        ...REQUEST,
        subject: { ...REQUEST.subject, tenant: 'production' },
        environment: { tenant: 'production' },
      },
      APPROVAL,
    ],
    [
      'members that nobody knows',
      { ...REQUEST, extra: 1, environment: { deployment: 'production', zone: 'a' } },
      APPROVAL,
    ],
    [
      'an approval that the client claims',
      {
        ...REQUEST,
        capability: { type: 'resource', name: 'a' },
        action: 'read',
        approval: { present: true },
      },
      {
        decision: 'allow',
        reason_code: 'ALLOWED',
        safe_message: 'The server policy allows this operation.',
      },
    ],
  ])('%s', async (_title, request, answer) => {
    expect(await answerTo(request)).toEqual(answer);
  });

  test('an actor type that the caller may not attest', async () => {
    expect(await answerTo(REQUEST, STRANGER)).toMatchObject({
      decision: 'deny',
      reason_code: 'ACTOR_VALIDATION_FAILED',
    });
  });

  test.each([
    ['tool', 'delete'],
    ['tool', 'read'],
    ['prompt', 'read'],
    ['model', 'execute'],
    ['constructor', 'name'],
    ['tool', 'constructor'],
  ])('%s %s is no method, which is denied and recorded', async (type, action) => {
    const { core, records } = await scene();
    const request = { ...REQUEST, capability: { type, name: 'read_logs' }, action };
    expect((await core.sepDecision(request, CALLER)).body).toEqual({
      decision: 'deny',
      reason_code: 'UNKNOWN_METHOD_DENIED',
      safe_message: 'The server policy does not allow this method.',
    });
    expect(await records()).toMatchObject([
      { profile: 'sep', decision: false, request: { action, resource: { type } } },
    ]);
  });

  test('asks the policy as a request of ours would', () => {
    const { subject, capability, action } = REQUEST;
    const question = {
      subject: {
        type: 'identity',
        id: 'user:carol@example.com',
        properties: { actor_type: 'human', groups: ['sre'] },
      },
      action: { name: 'tools/call', properties: { verb: 'execute' } },
      resource: { type: 'tool', id: 'restart_service', properties: { server: 'ops' } },
    };
    expect(readSepRequest({ subject, capability, action }, 'ops').request).toStrictEqual({
      ...question,
      context: { profile: 'mcp/1', phase: 'call', environment: {} },
    });
    const whole = {
      ...REQUEST,
      subject: { ...subject, tenant: 'a' },
      environment: { deployment: 'production', risk: 'high' },
      approval: { present: true },
    };
    expect(readSepRequest(whole, 'ops').request).toStrictEqual({
      ...question,
      subject: {
        ...question.subject,
        properties: { ...question.subject.properties, tenant: 'a' },
      },
      context: {
        profile: 'mcp/1',
        phase: 'call',
        environment: { deployment: 'production', risk: 'high' },
        arguments: { service: 'search' },
        approval: { present: true },
      },
    });
  });

  test('is recorded under the method that the words mean (R16)', async () => {
    const { core, records } = await scene();
    for (const [type, actions] of Object.entries(SEP_ACTIONS)) {
      for (const action of Object.keys(actions)) {
        await core.sepDecision({ ...REQUEST, capability: { type, name: 'x' }, action }, CALLER);
      }
    }
    expect((await records()).map(({ request }) => request?.action)).toEqual([
      'tools/call',
      'tools/list',
      'resources/read',
      'resources/list',
      'resources/subscribe',
      'resources/templates/list',
      'prompts/get',
      'prompts/list',
      'completion/complete',
      'tasks/get',
      'tasks/list',
      'tasks/update',
      'tasks/cancel',
    ]);
  });

  test.each<[string, object, string]>([
    ['no principal', { ...REQUEST, subject: {} }, 'REQUEST_INVALID /subject/principal'],
    [
      'an unknown actor type',
      { ...REQUEST, subject: { ...REQUEST.subject, actor_type: 'robot' } },
      'REQUEST_INVALID /subject/actor_type',
    ],
    ['no action', { ...REQUEST, action: undefined }, 'REQUEST_INVALID /action'],
    [
      'two tenants (R3)',
      { ...REQUEST, subject: { ...REQUEST.subject, tenant: 'a' }, environment: { tenant: 'b' } },
      'REQUEST_INVALID /environment/tenant',
    ],
  ])('%s is refused', async (_title, request, code) => {
    const { core } = await scene();
    expect(await codeOf(core.sepDecision(request, CALLER))).toBe(code);
    if (code.endsWith('tenant')) {
      await expect(core.sepDecision(request, CALLER)).rejects.toThrow('names two tenants');
    }
  });
});

const VECTORS = join(import.meta.dirname, '../../../shared/vectors/sep');
const describePublished = published('the published examples', existsSync(VECTORS));

function vector(name: string): Record<string, object> {
  return JSON.parse(readFileSync(join(VECTORS, name), 'utf8')) as Record<string, object>;
}

describePublished('the published examples of the SEP', () => {
  test.each([
    ['external_decision_request_full.json', 'external_decision_response_full.json'],
    ['external_profile_request_minimal.json', 'external_profile_response_minimal.json'],
    [
      'protected_tool_invocation_2_decision_request.json',
      'protected_tool_invocation_3_decision_response.json',
    ],
  ])('%s is answered as %s', async (request, response) => {
    expect(await answerTo(vector(request))).toMatchObject(inOurSpelling(vector(response)));
  });

  test('a pair in one file', async () => {
    const { request = {}, response = {} } = vector('external_policy_decision.json');
    expect(await answerTo(request)).toEqual(inOurSpelling(response as Record<string, object>));
  });

  /** Ruling R1: both spellings of the channel are read, one is written. */
  function inOurSpelling(response: Record<string, object>): object {
    const { approval_via, ...constraints } = response.constraints as Record<string, unknown>;
    const channel = approval_via === undefined ? {} : { require_approval_via: approval_via };
    return { ...response, constraints: { ...constraints, ...channel } };
  }
});
