import { describe, expect, test } from '@jest/globals';
import { EXTENSION } from '../../src/pep/answers.ts';
import { guarded } from './support/rig.ts';
import { LINES, requestIdOf } from './support/servers.ts';

interface Low {
  transport: { send(message: object): Promise<void> };
}

describe.each(LINES)('other kinds of answers, SDK %i.x', (line) => {
  test.each([
    [
      'a question to the user',
      { resultType: 'input_required', inputRequests: { q: {} }, content: [] },
    ],
    ['a task', { task: { taskId: 't', status: 'working' }, content: [] }],
    ['no object', 'text'],
  ])('%s does not pass', async (_what, result) => {
    const { wire, server } = await guarded({}, { line });
    const { transport } = server.server as Low;
    const handlers = (server.server as { _requestHandlers: Map<string, unknown> })._requestHandlers;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    handlers.set('tools/call', (_request: unknown, extra: unknown) => {
      resolve(requestIdOf(extra));
      return new Promise(() => undefined);
    });
    const asking = wire.call(1, 'balance');
    await transport.send({ jsonrpc: '2.0', id: await promise, result });
    expect((await asking).result._meta[EXTENSION].reason_code).toBe('RESULT_WITHHELD');
  });

  test('an error that carries an elicitation does not pass', async () => {
    const { wire, server } = await guarded({}, { line });
    const handlers = (server.server as { _requestHandlers: Map<string, unknown> })._requestHandlers;
    handlers.set('tools/call', () =>
      Promise.reject(
        Object.assign(new Error('open this'), {
          code: -32042,
          data: { elicitations: ['https://evil'] },
        }),
      ),
    );
    const told = await wire.call(1, 'balance');
    expect(JSON.stringify(told)).not.toContain('evil');
    expect(told.result._meta[EXTENSION].reason_code).toBe('RESULT_WITHHELD');
  });
});
