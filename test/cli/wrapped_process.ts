/**
 * A server that nobody built with an SDK, as a process of its own, with an answer of its own for
 * what it does not know. `stubborn` neither ends with its input nor by SIGTERM.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const stubborn = process.argv.includes('stubborn');
if (stubborn) process.on('SIGTERM', () => {});

/** Another process, which ends only when it is killed. */
const forever = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)';
const grandchild = spawn(process.execPath, ['-e', forever], { stdio: 'ignore' });

type Params = { name: string; protocolVersion: string; arguments?: { text?: string } };

const say = (message: object): void => {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
};
const text = (value: unknown) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });

const TOOLS: Record<string, (id: unknown) => unknown> = {
  environment: () => text(process.env),
  processes: () => text([process.pid, grandchild.pid]),
  hang: () => undefined,
  die: () => process.exit(7),
  secret: () => text('secret'),
};

const METHODS: Record<string, (params: Params, id: unknown) => unknown> = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: {
      tools: {},
      extensions: { 'io.modelcontextprotocol/server-policy-enforcement': { version: '9' } },
    },
    serverInfo: { name: 'own', version: '1' },
  }),
  'tools/list': () => ({
    tools: Object.keys(TOOLS).map((name) => ({ name, inputSchema: { type: 'object' } })),
  }),
  'tools/call': ({ name }, id) => TOOLS[name]?.(id),
  ping: () => ({}),
};

console.error('ready \u001b[31mred');
console.log('Listening, which is no message');

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, method, params } = JSON.parse(line) as {
      id?: unknown;
      method: string;
      params: Params;
    };
    const known = METHODS[method] && (method !== 'tools/call' || TOOLS[params.name]);
    if (id === undefined) return;
    if (!known) return say({ id, error: { code: -32000, message: 'what would that be?' } });
    const result = METHODS[method]?.(params, id);
    if (result !== undefined) say({ id, result });
  })
  .on('close', () => {
    if (stubborn) return;
    grandchild.kill('SIGKILL');
    process.exit(0);
  });
