/**
 * The caller of an MCP server: it calls at a fixed rate, whether or not earlier calls were answered
 * (an open loop), and counts from the moment at which a call was due.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { beSubject } from './subject.ts';

export interface CallsSetting {
  tool: string;
  /** Settings of the guard; null leaves the server as it is. */
  guard: Record<string, string> | null;
}

export interface CallsOrder {
  per_second: number;
  seconds: number;
}

/** Milliseconds of each call, in no order. */
export type CallsResult = number[];

const SERVER = join(import.meta.dirname, 'mcp_server_process.ts');
/** Timers are late by about so much; the rest of the time is spent turning the event loop. */
const TIMER_MS = 1.5;

async function connect({ tool, guard }: CallsSetting): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1.0.0' });
  const argv = ['--conditions=portcullis-source', SERVER, tool];
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: guard === null ? argv : [...argv, 'guarded'],
    env: { PATH: process.env.PATH ?? '', ...guard },
    stderr: 'inherit',
  });
  await client.connect(transport);
  await client.listTools();
  return client;
}

async function call(client: Client, name: string, due: number): Promise<number> {
  const { isError, _meta } = await client.callTool({ name, arguments: { amount: 100 } });
  if (isError) throw new Error(`a call was refused: ${JSON.stringify(_meta)}`);
  return performance.now() - due;
}

async function waitUntil(due: number): Promise<void> {
  const early = due - performance.now() - TIMER_MS;
  if (early > 0) await sleep(early);
  while (performance.now() < due) await nextTurn();
}

await beSubject<CallsSetting, CallsOrder>(async (setting) => {
  const client = await connect(setting);
  return async ({ per_second, seconds }): Promise<CallsResult> => {
    const started = performance.now();
    const calls: Promise<number>[] = [];
    for (let i = 0; i < per_second * seconds; i += 1) {
      const due = started + (i * 1000) / per_second;
      await waitUntil(due);
      const made = call(client, setting.tool, due);
      // It fails the run below, when the others have ended.
      made.catch(() => {});
      calls.push(made);
    }
    return Promise.all(calls);
  };
});
