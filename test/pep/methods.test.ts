import { describe, expect, test } from '@jest/globals';
import { isEnforced, METHODS, ruleOf, type MethodRule } from '../../src/pep/methods.ts';

const SHORT: Record<string, string> = {
  client_to_server: 'C>S',
  server_to_client: 'S>C',
  both: 'both',
};

function row([method, rule]: [string, MethodRule]): string {
  const revisions = rule.revisions.map((revision) => revision.slice(2, 7)).join(',') || '-';
  const beside = [rule.extension && 'ext', rule.embedded && 'embedded'].filter(Boolean);
  return [
    method,
    rule.kind === 'request' ? '?' : '!',
    SHORT[rule.direction],
    [revisions, ...beside].join('+'),
    `${rule.handling}${denied(rule)}`,
    rule.resource_type ?? '-',
    rule.verb ?? '-',
  ].join(' | ');
}

function denied({ enforced }: MethodRule): string {
  if (typeof enforced !== 'boolean') return ` (${SHORT[enforced]} only)`;
  return enforced ? '' : ' (denied)';
}

const ALL = '24-11,25-03,25-06,25-11,26-07';
const LEGACY = '24-11,25-03,25-06,25-11';

describe('the table of methods', () => {
  test('is what it is, and every other method is unknown', () => {
    expect(Object.entries(METHODS).map(row)).toEqual([
      `initialize | ? | C>S | ${LEGACY} | allow | - | -`,
      'server/discover | ? | C>S | 26-07 | allow | - | -',
      `ping | ? | both | ${LEGACY} | allow | - | -`,
      `tools/list | ? | C>S | ${ALL} | filter | tool | list`,
      `prompts/list | ? | C>S | ${ALL} | filter | prompt | list`,
      `resources/list | ? | C>S | ${ALL} | filter | resource | list`,
      `resources/templates/list | ? | C>S | ${ALL} | filter | resource_template | list`,
      `tools/call | ? | C>S | ${ALL} | decide | tool | execute`,
      `prompts/get | ? | C>S | ${ALL} | decide | prompt | get`,
      `resources/read | ? | C>S | ${ALL} | decide | resource | read`,
      `completion/complete | ? | C>S | ${ALL} | decide | - | complete`,
      `logging/setLevel | ? | C>S | ${LEGACY} | allow | - | -`,
      `resources/subscribe | ? | C>S | ${LEGACY} | decide | resource | subscribe`,
      `resources/unsubscribe | ? | C>S | ${LEGACY} | decide | resource | subscribe`,
      'subscriptions/listen | ? | C>S | 26-07 | decide | - | subscribe',
      'tasks/get | ? | both | 25-11+ext | owner_bound (C>S only) | task | read',
      'tasks/result | ? | both | 25-11 | owner_bound (C>S only) | task | read',
      'tasks/list | ? | both | 25-11 | owner_bound (C>S only) | task | list',
      'tasks/cancel | ? | both | 25-11+ext | owner_bound (C>S only) | task | cancel',
      'tasks/update | ? | C>S | -+ext | owner_bound (C>S only) | task | update',
      `sampling/createMessage | ? | S>C | ${LEGACY}+embedded | decide | mcp_server | create`,
      `roots/list | ? | S>C | ${LEGACY}+embedded | decide | mcp_server | list`,
      'elicitation/create | ? | S>C | 25-06,25-11+embedded | decide | mcp_server | create',
      `notifications/initialized | ! | C>S | ${LEGACY} | allow | - | -`,
      `notifications/cancelled | ! | both | ${ALL} | allow | - | -`,
      `notifications/progress | ! | both | ${ALL} | allow | - | -`,
      `notifications/roots/list_changed | ! | C>S | ${LEGACY} | decide | - | notify`,
      `notifications/message | ! | S>C | ${ALL} | allow | - | -`,
      `notifications/tools/list_changed | ! | S>C | ${ALL} | allow | - | -`,
      `notifications/prompts/list_changed | ! | S>C | ${ALL} | allow | prompt | -`,
      `notifications/resources/list_changed | ! | S>C | ${ALL} | allow | resource | -`,
      `notifications/resources/updated | ! | S>C | ${ALL} | decide | resource | notify`,
      'notifications/tasks/status | ! | both | 25-11 | owner_bound (S>C only) | task | notify',
      'notifications/tasks | ! | S>C | -+ext | owner_bound (S>C only) | task | notify',
      'notifications/elicitation/complete | ! | S>C | 25-11 | decide | - | notify',
      'notifications/subscriptions/acknowledged | ! | S>C | 26-07 | allow | - | -',
    ]);
    for (const method of ['interceptors/list', 'tools/List', 'tools/call ', '', 'constructor']) {
      expect(ruleOf(method)).toBeUndefined();
    }
  });

  test('a method is enforced only as its kind, in its direction and in its era', () => {
    expect(isEnforced('tools/call', 'request', 'client_to_server', 'modern')).toBe(true);
    expect(isEnforced('tools/call', 'request', 'server_to_client', 'legacy')).toBe(false);
    expect(isEnforced('tools/call', 'notification', 'client_to_server', 'legacy')).toBe(false);
    expect(isEnforced('initialize', 'request', 'client_to_server', 'modern')).toBe(false);
    expect(isEnforced('server/discover', 'request', 'client_to_server', 'legacy')).toBe(false);
    expect(isEnforced('ping', 'request', 'server_to_client', 'legacy')).toBe(true);
    expect(isEnforced('tasks/get', 'request', 'client_to_server', 'modern')).toBe(true);
    expect(isEnforced('tasks/get', 'request', 'server_to_client', 'legacy')).toBe(false);
    expect(isEnforced('tasks/list', 'request', 'client_to_server', 'modern')).toBe(false);
    expect(isEnforced('tasks/update', 'request', 'client_to_server', 'legacy')).toBe(false);
  });
});
