/** The scenarios of the official suite for the extension for tasks, behind the guard. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runScenario } from '../../scripts/conformance/suite.ts';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import { ALICE, testParts } from '../pep/support/parts.ts';
import { buildTasks2, Desk2 } from '../pep/support/tasks_2.ts';
import { host, type Hosted } from './fixture/host.ts';

let hosted: Hosted;
beforeAll(async () => {
  const desk = new Desk2();
  const settings = { tasks_max: 100, tasks_per_principal_max: 100 };
  const guard = createGuard(testParts({}, settings, { identity: () => ALICE }));
  hosted = await host(guard.http(() => buildTasks2(desk)));
});
afterAll(() => hosted.close());

/** `tasks-status-notifications` checks nothing where a server sends none, which it may. */
test.each([
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-required-task-error',
  'tasks-mrtr-composition',
])(
  '%s passes',
  async (scenario) => {
    const checks = await runScenario(hosted.url, scenario);
    expect(checks.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
    expect(checks.length).toBeGreaterThan(1);
  },
  60_000,
);
