/** A service that decides by a file of roles, over real HTTP: outcomes, changes, bad files. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EvaluationResponse, SepDecisionResponse } from '../../src/contract/types.gen.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import { sepRequest } from '../decision/static_rbac/fixture.ts';
import {
  OUR_FILE,
  OUR_NAMES,
  outcomes,
  PUBLISHED_NAMES,
  type Ask,
  type Names,
} from '../decision/static_rbac/outcomes.ts';
import { privateFolder, send, type Sent } from '../pdp/fixture.ts';
import { published } from '../support/prerequisite.ts';
import { runWith, serve, type Serving } from './fixture.ts';

const PUBLISHED = fileURLToPath(
  new URL('../../../shared/vectors/sep/static_rbac_policy.yaml', import.meta.url),
);

let folder: ReturnType<typeof privateFolder>;
const opened: Serving[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const { child, stop } of opened.splice(0))
    if (child.exitCode === null) await stop('SIGKILL');
  folder.remove();
});

const state = () => join(folder.path, 'state');
const roles = () => join(folder.path, 'roles.yaml');

/** The settings of a service that decides by a file. */
function settingsFor(rbac_file: string, policy: object = {}): string {
  const config = join(folder.path, 'portcullis.yaml');
  const settings = {
    policy: { backend: 'static_rbac', rbac_file, reload_interval_ms: 50, ...policy },
    pdp: { listen: null },
    state: state(),
  };
  writeFileSync(config, JSON.stringify(settings));
  return config;
}

async function started(rbac_file: string, policy: object = {}): Promise<Serving> {
  const service = await serve('--config', settingsFor(rbac_file, policy));
  opened.push(service);
  return service;
}

function post({ socket }: Serving, path: string, body: object): Promise<Sent> {
  return send('http://localhost', path, { socketPath: socket, body: JSON.stringify(body) });
}

/** The methods that the words of the draft stand for. */
const METHODS: Readonly<Record<string, string>> = {
  'tool execute': 'tools/call',
  'tool list': 'tools/list',
  'resource read': 'resources/read',
  'resource list': 'resources/list',
  'resource subscribe': 'resources/subscribe',
  'prompt get': 'prompts/get',
  'prompt list': 'prompts/list',
};

/** The same question to a plain AuthZEN endpoint, which knows the method and not the word. */
function authzenRequest({ groups, actor_type, type, name, action, deployment }: Ask): object {
  return {
    subject: {
      type: 'user',
      id: 'user:carol@example.com',
      properties: { groups, ...(actor_type && { actor_type }) },
    },
    action: { name: METHODS[`${type} ${action}`] ?? `${type}s/${action}` },
    resource: { type, id: name },
    context: { arguments: {}, ...(deployment !== undefined && { environment: { deployment } }) },
  };
}

/** Of the thousands that are plainly denied, some: a prime step meets all kinds of them. */
const STEP = 97;
const PLAIN: readonly string[] = ['CAPABILITY_NOT_ALLOWED', 'UNKNOWN_METHOD_DENIED'];

async function surprises(service: Serving, names: Names): Promise<object[]> {
  const found: object[] = [];
  for (const [at, { ask, outcome }] of outcomes(names).entries()) {
    if (PLAIN.includes(outcome.reason_code) && at % STEP !== 0) continue;
    const sep = await post(service, '/v1/decision', sepRequest(ask));
    const authzen = await post(service, '/access/v1/evaluation', authzenRequest(ask));
    const told = sep.body as SepDecisionResponse;
    const { decision, context } = authzen.body as EvaluationResponse;
    const isSame =
      told.decision === outcome.decision &&
      told.reason_code === outcome.reason_code &&
      context.outcome === outcome.decision &&
      decision === (outcome.decision === 'allow');
    if (!isSame) found.push({ ask, outcome, told, context });
  }
  return found;
}

test('[E-14] the outcome table holds on both endpoints of a service', async () => {
  writeFileSync(roles(), OUR_FILE);
  expect(await surprises(await started(roles()), OUR_NAMES)).toEqual([]);
});

published('the published file of roles', existsSync(PUBLISHED))('the published file', () => {
  test('has its outcome table on both endpoints of a service', async () => {
    expect(await surprises(await started(PUBLISHED), PUBLISHED_NAMES)).toEqual([]);
  });
});

describe('without a sound file there is no start', () => {
  test.each<[title: string, text: string | undefined, message: string]>([
    ['absent', undefined, 'RBAC_INVALID: cannot read'],
    ['empty', '', 'line 1, column 1: it must be of type object'],
    ['not YAML', 'roles: [', 'not strict YAML'],
    [
      'open',
      'roles: {}\n_settings:\n  default_decision: allow\n',
      'line 3, column 3: at `/_settings/default_decision` it must be `deny`',
    ],
  ])('[E-14] %s', async (_title, text, message) => {
    if (text !== undefined) writeFileSync(roles(), text);
    const found = await runWith({ HOME: folder.path }, 'serve', '--config', settingsFor(roles()));
    expect([found.code, found.stdout]).toEqual([2, '']);
    expect(found.stderr).toContain(message);
    expect(found.stderr).toContain('docs/static_rbac.md tells what a file may say');
  });

  test('not named', async () => {
    const variables = { HOME: folder.path, PORTCULLIS_POLICY_BACKEND: 'static_rbac' };
    const found = await runWith(variables, 'serve', '--data', state());
    expect(found.code).toBe(2);
    expect(found.stderr).toContain(
      '`policy.backend` (PORTCULLIS_POLICY_BACKEND) and `policy.rbac_file`',
    );
  });
});

const LOOK = (decision: string) =>
  "roles: {keepers: {grants: [{capability: 'tool:look', " +
  `actions: [execute], decision: ${decision}}]}}\n`;
const ASK: Ask = {
  groups: ['keepers'],
  actor_type: 'human',
  type: 'tool',
  name: 'look',
  action: 'execute',
  deployment: undefined,
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('a file that changes under requests is followed, and each answer is of one file', async () => {
  writeFileSync(roles(), LOOK('allow'));
  const service = await started(roles());
  const { body: before } = await send('http://localhost', '/v1/status', {
    method: 'GET',
    socketPath: service.socket,
  });
  const seen: string[] = [];
  const asking = { stopped: false };
  const worker = async (): Promise<void> => {
    while (!asking.stopped) {
      const { status, body } = await post(service, '/v1/decision', sepRequest(ASK));
      seen.push(`${status} ${(body as SepDecisionResponse).decision}`);
    }
  };
  const workers = Array.from({ length: 8 }, worker);
  for (const decision of ['deny', 'allow', 'require_approval']) {
    const next = join(folder.path, 'next.yaml');
    writeFileSync(next, LOOK(decision));
    renameSync(next, roles());
    await until(async () => seen.at(-1) === `200 ${decision}`);
    // Half a file leaves the one before it in force.
    writeFileSync(roles(), LOOK(decision).slice(0, 40));
    await until(async () => service.stderr().includes('the policy was not reloaded'));
    expect(seen.at(-1)).toBe(`200 ${decision}`);
  }
  asking.stopped = true;
  await Promise.all(workers);
  expect([...new Set(seen)].sort()).toEqual(['200 allow', '200 deny', '200 require_approval']);
  const { policy } = before as { policy: { digest: string } };
  expect(await service.stop('SIGTERM')).toBe(0);
  const outcomeOf = new Map<string, Set<unknown>>();
  const activated: string[] = [];
  for await (const record of readEvidence(join(state(), 'evidence'))) {
    const digest = record.policy?.digest ?? '';
    if (record.kind === 'activation') activated.push(digest);
    else if (record.kind === 'decision')
      outcomeOf.set(digest, (outcomeOf.get(digest) ?? new Set()).add(record.outcome));
  }
  expect(activated).toHaveLength(4);
  expect(activated[0]).toBe(policy.digest);
  expect([...outcomeOf.keys()].sort()).toEqual(
    [...activated]
      .sort()
      .filter((one, at, all) => all.indexOf(one) === at)
      .sort(),
  );
  for (const outcomesOfOne of outcomeOf.values()) expect(outcomesOfOne.size).toBe(1);
});

test('a file that stays malformed denies when the last good one is too old', async () => {
  writeFileSync(roles(), LOOK('allow'));
  const service = await started(roles(), { age_seconds_max: 1 });
  writeFileSync(roles(), 'roles: [\n');
  await until(async () => (await post(service, '/v1/decision', sepRequest(ASK))).status === 503);
  const { body } = await post(service, '/v1/decision', sepRequest(ASK));
  expect(JSON.stringify(body)).toContain('POLICY_ABSENT');
  expect(JSON.stringify(body)).not.toContain('roles');
  writeFileSync(roles(), LOOK('allow'));
  await until(async () => (await post(service, '/v1/decision', sepRequest(ASK))).status === 200);
});

test('the example of the docs is in force', async () => {
  const page = readFileSync(new URL('../../docs/static_rbac.md', import.meta.url), 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  writeFileSync(roles(), yaml);
  const service = await started(roles());
  const rows = [
    ...page.matchAll(/^\| `([\w, ]*)` +\| `(\w+):(\S+) (\w+)` +\| (?:`(\w+)`|–) +\| (\w+) +\|/gm),
  ];
  expect(rows.length).toBeGreaterThan(6);
  for (const [, groups = '', type = '', name = '', action = '', deployment, decision] of rows) {
    const ask = { ...ASK, groups: groups.split(', '), type, name, action, deployment };
    const { body } = await post(service, '/v1/decision', sepRequest(ask));
    expect([groups, name, (body as SepDecisionResponse).decision]).toEqual([
      groups,
      name,
      decision,
    ]);
  }
});
