/**
 * `npm start`: a decision service and the example server behind its guard, left running, with what
 * to try. State lies in .portcullis; the data may be edited while it runs. `npm start -- 9090` has
 * the server on another port, and PORTCULLIS_* overrides the settings below.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { readTokens } from '../src/pdp/token_file.ts';
import { readOptions, refuse } from './options.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DATA = 'examples/payments-server/policy/data.yaml';
const USAGE = `Usage: npm start -- [port]

Runs a decision service, and an example server behind its guard, and prints what to try.

  port     where the server listens on 127.0.0.1 (default: 8282)
  --help   show this

State lies in .portcullis; PORTCULLIS_* in the environment overrides the settings.`;

const [HTTP_PORT = '8282', ...more] = readOptions(USAGE, {}).positionals;
if (!/^\d{1,5}$/.test(HTTP_PORT) || Number(HTTP_PORT) > 65_535 || more.length > 0) {
  refuse(USAGE, 'one port may be given, from 0 to 65535');
}
const SOURCE = '--conditions=portcullis-source';
const SERVER = 'examples/payments-server/main.ts';

/** The SEP profile names no server, so the service must know which one its tools belong to. */
const SETTINGS = {
  PORTCULLIS_STATE: join(ROOT, '.portcullis'),
  PORTCULLIS_GUARD_SERVER: 'payments',
  PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'production',
  ...process.env,
};

type Child = ChildProcessByStdio<null, Readable, null>;

const children: Child[] = [];

function start(argv: readonly string[], env: NodeJS.ProcessEnv): Child {
  const child = spawn(process.execPath, argv, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  void once(child, 'exit').then(([code]) => stop(Number(code ?? 1)));
  return child;
}

/** Ends what runs, once, in reverse order of its start; the first that ended gives the code. */
function stop(code: number): void {
  process.exitCode ??= code;
  for (const child of children.splice(0).reverse()) child.kill('SIGTERM');
}

/** The lines of a process up to one that fits; undefined where it ended before, and said why. */
async function linesUntil(child: Child, last: RegExp): Promise<string[] | undefined> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (!last.test(line)) continue;
    child.stdout.resume();
    return lines;
  }
  return undefined;
}

interface Addresses {
  url: string;
  socket: string;
  token_file: string;
}

async function startService(): Promise<Addresses | undefined> {
  const service = ['bin/portcullis.js', 'serve', '--json'];
  const policy = ['--bundle', 'bundles/payments.tar.gz', '--policy-data', DATA];
  const lines = await linesUntil(start([...service, ...policy], SETTINGS), /^\}$/);
  return lines && (JSON.parse(lines.join('\n')) as Addresses);
}

/** The server's tokens, by who holds them. */
async function startServer({ socket }: Addresses): Promise<Map<string, string> | undefined> {
  const argv = [SOURCE, 'examples/payments-server/http.ts', HTTP_PORT];
  const settings = { ...SETTINGS, PORTCULLIS_DECISION_POINT_SOCKET: socket };
  const lines = await linesUntil(start(argv, settings), /^nightly-ledger by /);
  return lines && new Map(lines.map((line) => line.split(': ') as [string, string]));
}

function describe({ url, socket, token_file }: Addresses, tokens: Map<string, string>): string {
  const inspector = 'npx @modelcontextprotocol/inspector --cli';
  const decision = {
    subject: { principal: 'user:alice@example.com', actor_type: 'human', groups: ['tellers'] },
    capability: { type: 'tool', name: 'transfer' },
    action: 'execute',
    arguments: { amount: 9000 },
    environment: { deployment: 'production' },
  };
  const alice = [
    '-e PORTCULLIS_GUARD_SERVER=payments',
    '-e PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT=production',
    '-e PORTCULLIS_GUARD_SUBJECT_ID=user:alice@example.com',
    '-e PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE=human',
    '-e PORTCULLIS_GUARD_SUBJECT_GROUPS=tellers',
    `-e PORTCULLIS_STATE=${SETTINGS.PORTCULLIS_STATE}`,
    `-e PORTCULLIS_DECISION_POINT_SOCKET=${socket}`,
  ];
  return `
The decision service listens on ${url}
  and on unix:${socket}
The payments server stands behind its guard on http://127.0.0.1:${HTTP_PORT}/mcp

Ask for a decision (SEP profile); more than 10000 needs an approval, other tools are refused:
  curl -s ${url}/v1/decision -H 'Content-Type: application/json' \\
    -H 'Authorization: Bearer ${readTokens(token_file)[0]?.token}' \\
    -d '${JSON.stringify(decision)}'

List the tools that a teller sees, over HTTP:
  ${inspector} http://127.0.0.1:${HTTP_PORT}/mcp --transport http --method tools/list \\
    --header 'Authorization: Bearer ${tokens.get('alice@example.com by cid-teller-desk')}'

The same over stdio, as the person that the launcher names:
  ${inspector} ${alice.join(' \\\n    ')} \\
    ${process.execPath} ${SOURCE} ${SERVER} --method tools/list

Edit ${DATA} meanwhile: it is in force within a second.
Ctrl+C ends both.
`;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(0));
const addresses = await startService();
const tokens = addresses && (await startServer(addresses));
if (tokens) process.stdout.write(describe(addresses, tokens));
