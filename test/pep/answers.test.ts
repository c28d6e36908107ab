/** What a peer reads in an answer of the guard's own, without a server around it. */
import { describe, expect, test } from '@jest/globals';
import {
  deniedMethod,
  failure,
  missingTasks,
  retryOf,
  unknownItem,
  unknownTask,
  type Retry,
  type ServerLine,
} from '../../src/pep/answers.ts';
import type { Kind } from '../../src/pep/kinds.ts';

const invalid = (message: string, data?: object) => ({
  jsonrpc: '2.0',
  id: 7,
  error: { code: -32602, message, ...(data && { data }) },
});
const told = (text: string) => ({
  jsonrpc: '2.0',
  id: 7,
  result: { content: [{ type: 'text', text }], isError: true },
});
const NO_ADDRESS = 'no address';
const invalidAddress = { uri: NO_ADDRESS, reason: 'invalid_uri' };

describe('what is not there is told in the words of the server', () => {
  test.each<[Kind, ServerLine, string, object]>([
    ['tool', 1, 'x', told('MCP error -32602: Tool x not found')],
    ['tool', 2, 'x', invalid('Tool x not found')],
    ['prompt', 1, 'x', invalid('MCP error -32602: Prompt x not found')],
    ['prompt', 2, 'x', invalid('Prompt x not found')],
    ['resource_template', 1, 'x', invalid('MCP error -32602: Resource template x not found')],
    ['resource_template', 2, 'x', invalid('Resource template x not found')],
    ['resource', 1, 'FILE:///x', invalid('MCP error -32602: Resource file:///x not found')],
    ['resource', 2, 'FILE:///x', invalid('Resource not found: FILE:///x', { uri: 'FILE:///x' })],
    [
      'resource',
      1,
      NO_ADDRESS,
      { jsonrpc: '2.0', id: 7, error: { code: -32603, message: 'Invalid URL' } },
    ],
    ['resource', 2, NO_ADDRESS, invalid('Resource URI no address is invalid', invalidAddress)],
  ])('a %s, SDK %i.x: %s', (kind, line, name, answer) => {
    expect(unknownItem(kind, line, 7, name)).toStrictEqual(answer);
  });

  test.each<[string, ServerLine, string]>([
    ['tasks/get', 1, 'MCP error -32602: Failed to retrieve task: Task not found'],
    ['tasks/get', 2, 'Failed to retrieve task: Task not found'],
    ['tasks/cancel', 1, 'MCP error -32602: Task not found: t-1'],
    ['tasks/cancel', 2, 'Task not found: t-1'],
  ])('a task, to %s, SDK %i.x', (method, line, message) => {
    expect(unknownTask(method, line, 7, 't-1')).toStrictEqual(invalid(message));
  });
});

test('who takes no tasks is told what it would have to say', () => {
  expect(missingTasks(7)).toStrictEqual({
    jsonrpc: '2.0',
    id: 7,
    error: {
      code: -32021,
      message: 'Missing required client capability',
      data: {
        requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } },
      },
    },
  });
});

test('a method that is not enforced is one that does not exist', () => {
  expect(deniedMethod(7)).toMatchObject({
    error: { code: -32601, data: { error: { code: 'UNKNOWN_METHOD_DENIED' } } },
  });
});

test('an answer has no member without a value', () => {
  expect(failure(undefined, -32600, 'm')).toStrictEqual({
    jsonrpc: '2.0',
    error: { code: -32600, message: 'm' },
  });
});

test.each<[string, Retry]>([
  ['APPROVAL_REQUIRED', 'after_approval'],
  ['ARGUMENTS_INCOMPLETE', 'after_seconds'],
  ['ARGUMENTS_TOO_LARGE', 'with_smaller_arguments'],
  ['CAPABILITY_NOT_ALLOWED', 'never'],
  ['DEFINITION_CHANGED', 'after_seconds'],
  ['POLICY_UNAVAILABLE', 'after_seconds'],
  ['TOO_MANY_TASKS', 'after_seconds'],
])('after %s a client may try again: %s', (reason_code, retry) => {
  expect(retryOf(reason_code)).toBe(retry);
});
