/** A guarded server on a test wire. */
import { createGuard, type Guard } from '../../../src/pep/mcp/guard.ts';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import { testParts, type TestParts } from './parts.ts';
import type { Script } from './scripted.ts';
import { buildServer, type HighServer, type Journal, type Line } from './servers.ts';
import { TestWire } from './wire.ts';

export interface Rig {
  parts: TestParts;
  guard: Guard;
  server: HighServer;
  wire: TestWire;
  journal: Journal;
}

export interface RigOptions {
  line?: Line;
  settings?: Partial<GuardSettings>;
  server?: (line: Line, journal: Journal) => HighServer;
  identity?: TestParts['identity'];
}

/** Connected, with the handshake not yet made. */
export async function connected(script: Script = {}, options: RigOptions = {}): Promise<Rig> {
  const { line = 1, settings, server: build = buildServer, identity } = options;
  const parts = testParts(script, settings, identity && { identity });
  const guard = createGuard(parts);
  const journal: Journal = { calls: [] };
  const server = build(line, journal);
  const wire = new TestWire();
  await guard(server).connect(wire);
  return { parts, guard, server, wire, journal };
}

export const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: { sampling: {}, elicitation: { form: {} }, roots: {} },
  clientInfo: { name: 'tester', version: '9' },
};

/** Connected, and past the handshake. */
export async function guarded(script: Script = {}, options: RigOptions = {}): Promise<Rig> {
  const rig = await connected(script, options);
  await rig.wire.ask('hello', 'initialize', HELLO);
  rig.wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return rig;
}

/** The server alone, without a guard. */
export async function unguarded(server: HighServer): Promise<TestWire> {
  const wire = new TestWire();
  await server.connect(wire);
  await wire.ask('hello', 'initialize', HELLO);
  wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return wire;
}
