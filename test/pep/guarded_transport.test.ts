/** What a server sees of its transport through the guard. */
import { expect, test } from '@jest/globals';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import type { Transport } from '../../src/pep/transport.ts';
import { testParts } from './support/parts.ts';
import { TestWire } from './support/wire.ts';

const guardedOver = (members: object): { wire: TestWire; transport: Transport } => {
  const wire = Object.assign(new TestWire(), members);
  return { wire, transport: createGuard(testParts()).wire(wire) };
};

test('a member that a transport may lack is there if the transport has it', () => {
  const told: unknown[] = [];
  const resolver = () => undefined;
  const { transport } = guardedOver({
    sessionId: 's-1',
    setProtocolVersion: (version: string) => told.push(version),
    setSupportedProtocolVersions: (versions: string[]) => told.push(versions),
    setScopeChallengeResolver: (given: unknown) => told.push(given),
  });
  transport.setProtocolVersion?.('v');
  transport.setSupportedProtocolVersions?.(['v', 'w']);
  transport.setScopeChallengeResolver?.(resolver);
  expect([transport.sessionId, told]).toEqual(['s-1', ['v', ['v', 'w'], resolver]]);
  const { transport: plain } = guardedOver({});
  expect([
    plain.sessionId,
    'setProtocolVersion' in plain && plain.setProtocolVersion,
    'setSupportedProtocolVersions' in plain && plain.setSupportedProtocolVersions,
    'setScopeChallengeResolver' in plain && plain.setScopeChallengeResolver,
  ]).toEqual([undefined, undefined, undefined, undefined]);
});

test('nobody needs to listen', async () => {
  const wire = new TestWire();
  const guard = createGuard(testParts());
  const transport: Transport = guard.wire(wire);
  await transport.start();
  await guard.ready();
  wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
  wire.give({ jsonrpc: '2.0', id: 1, method: 'ping' });
  await new Promise((resolve) => setImmediate(resolve));
  wire.onerror?.(new Error('oops'));
  wire.onclose?.();
});

test('whoever listens hears of errors and of the end, the guard first', async () => {
  const { wire, transport } = guardedOver({});
  const heard: string[] = [];
  transport.onerror = ({ message }) => heard.push(message);
  transport.onclose = () => heard.push('closed');
  await transport.start();
  wire.onerror?.(new Error('oops'));
  await transport.close();
  wire.give({ jsonrpc: '2.0', id: 1, method: 'x' });
  expect([heard, wire.sent]).toEqual([['oops', 'closed'], []]);
});
