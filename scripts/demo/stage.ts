/**
 * What the story is played on: a decision service and a guarded server for each role, all of them
 * processes of their own; clients are the official ones. State and an editable copy of the data lie
 * in a temporary folder.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import { recordedAs } from './evidence_line.ts';
import { judgeReceipt } from './receipts.ts';
import { openEndpoint, type Bearer, type Endpoint } from './endpoint.ts';
import { CLIENTS, type Act, type Role, type Step, type Who } from './story.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DATA = 'examples/payments-server/policy/data.yaml';
const SERVER = 'examples/payments-server/main.ts';
const PATIENCE_MS = 10_000;

/** What was seen of a step, and the records that were made meanwhile. */
export interface Played {
  seen: string;
  records: EvidenceRecord[];
}

export interface StageSettings {
  /** Path of the bundle that decides. */
  bundle: string;
  /** The bundle may allow everything. */
  unsafe_allow_all: boolean;
  /** Shows what the processes log. */
  verbose: boolean;
}

export interface Stage {
  play(step: Step): Promise<Played>;
  close(): Promise<void>;
}

/** Starts the service over a bundle. Rejects where it does not come up. */
export async function openStage(settings: StageSettings): Promise<Stage> {
  const stage = new TemporaryStage(settings);
  try {
    await stage.startService();
  } catch (error) {
    await stage.close();
    throw error;
  }
  return stage;
}

class TemporaryStage implements Stage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'portcullis-demo-'));
  readonly #data = join(this.#folder, 'data.yaml');
  readonly #settings: StageSettings;
  readonly #environment: Record<string, string>;
  readonly #clients = new Map<string, Client>();
  #service: ChildProcess | undefined;
  #endpoint: Endpoint | undefined;
  #socket = '';
  #told = 0;

  constructor(settings: StageSettings) {
    this.#settings = settings;
    this.#environment = {
      PATH: process.env.PATH ?? '',
      PORTCULLIS_STATE: join(this.#folder, 'state'),
      ...(settings.unsafe_allow_all && { PORTCULLIS_POLICY_UNSAFE_ALLOW_ALL: 'true' }),
    };
    cpSync(join(ROOT, DATA), this.#data);
  }

  async play({ act }: Step): Promise<Played> {
    const seen = await this.#perform(act);
    return { seen, records: await this.#newRecords() };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    await this.#endpoint?.close();
    await this.#stopService();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async startService(): Promise<void> {
    const argv = ['bin/portcullis.js', 'serve', '--json', '--listen', '127.0.0.1:0'];
    const policy = ['--bundle', this.#settings.bundle, '--policy-data', this.#data];
    const child = spawn(process.execPath, [...argv, ...policy], {
      cwd: ROOT,
      env: this.#environment,
      stdio: ['ignore', 'pipe', this.#settings.verbose ? 'inherit' : 'ignore'],
    });
    this.#service = child;
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (line !== '}') continue;
      this.#socket = (JSON.parse(lines.join('\n')) as { socket: string }).socket;
      return;
    }
    throw new Error('the decision service did not start; `--verbose` shows why');
  }

  async #stopService(): Promise<void> {
    if (!this.#service || this.#service.exitCode !== null) return;
    this.#service.kill('SIGTERM');
    await once(this.#service, 'exit');
  }

  async #perform(act: Act): Promise<string> {
    switch (act.kind) {
      case 'list':
        return this.#list(act.role);
      case 'call':
        return this.#call(act);
      case 'stop_service':
        await this.#stopService();
        return 'the service has stopped';
      case 'start_service':
        await this.startService();
        return 'the service is ready';
      case 'edit_data':
        return this.#edit(act);
      case 'receipt':
        return this.#receipt(act);
    }
  }

  async #list(role: Who): Promise<string> {
    const client = await this.#clientOf(role);
    const { tools } = await client.listTools();
    return `sees ${tools
      .map(({ name }) => name)
      .sort()
      .join(', ')}`;
  }

  async #call({ role, tool, arguments: args }: Extract<Act, { kind: 'call' }>): Promise<string> {
    const client = await this.#clientOf(role).catch(turnedAway);
    if (typeof client === 'string') return client;
    return describe((await client.callTool({ name: tool, arguments: args })) as CallToolResult);
  }

  #clientOf(who: Who): Promise<Client> {
    return 'user' in who ? this.#overHttp(who) : this.#overStdio(who);
  }

  async #overHttp(bearer: Bearer): Promise<Client> {
    this.#endpoint ??= await openEndpoint({
      root: ROOT,
      environment: {
        ...this.#environment,
        ...settingsOf({ environment: 'production' }, this.#socket),
      },
      clients: CLIENTS,
      verbose: this.#settings.verbose,
    });
    return this.#endpoint.connect(bearer);
  }

  async #overStdio(role: Role): Promise<Client> {
    const known = this.#clients.get(role.id);
    if (known) return known;
    const client = new Client({ name: 'demo', version: '1.0.0' });
    this.#clients.set(role.id, client);
    const argv = ['--conditions=portcullis-source', SERVER];
    const env = { ...this.#environment, ...settingsOf(role, this.#socket) };
    const stderr = this.#settings.verbose ? 'inherit' : 'ignore';
    const server = { command: process.execPath, args: argv, cwd: ROOT, env, stderr } as const;
    await client.connect(new StdioClientTransport(server));
    return client;
  }

  /** Writes the data as an editor does, and waits until a policy of another digest is in force. */
  async #edit({ from, to }: { from: string; to: string }): Promise<string> {
    const before = await this.#activations();
    writeFileSync(this.#data, readFileSync(this.#data, 'utf8').replace(from, to));
    for (let waited = 0; waited < PATIENCE_MS; waited += 50) {
      if ((await this.#activations()) > before) return 'another policy is in force';
      await sleep(50);
    }
    return 'the policy stays as it was';
  }

  async #receipt({ of, changed = false }: Extract<Act, { kind: 'receipt' }>): Promise<string> {
    const record = (await this.#records(0)).find((each) => recordedAs(each) === of);
    const log = join(this.#folder, 'state', 'evidence');
    const parts = { root: ROOT, log, folder: this.#folder };
    return judgeReceipt(parts, record?.index ?? -1, changed);
  }

  async #activations(): Promise<number> {
    return (await this.#records(0)).filter(({ kind }) => kind === 'activation').length;
  }

  async #newRecords(): Promise<EvidenceRecord[]> {
    const records = await this.#records(this.#told);
    this.#told = (records.at(-1)?.index ?? this.#told - 1) + 1;
    return records;
  }

  async #records(from: number): Promise<EvidenceRecord[]> {
    const directory = join(this.#folder, 'state', 'evidence');
    const records: EvidenceRecord[] = [];
    for await (const record of readEvidence(directory, { from })) records.push(record);
    return records;
  }
}

function settingsOf(role: Partial<Role>, socket: string): Record<string, string> {
  const settings = {
    PORTCULLIS_DECISION_POINT_SOCKET: socket,
    PORTCULLIS_GUARD_SERVER: 'payments',
    PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: role.environment,
    PORTCULLIS_GUARD_SUBJECT_ID: role.id,
    PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: role.actor_type,
    PORTCULLIS_GUARD_SUBJECT_GROUPS: role.group,
    PORTCULLIS_GUARD_SURFACE: role.surface,
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Record<string, string>;
}

/** The door of a server over HTTP answers before any message is read. */
function turnedAway(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'number') throw error;
  return `is turned away: ${code}`;
}

const META = 'io.modelcontextprotocol/server-policy-enforcement';

/** An answer in a line: the amount of a transfer, the fields of a record, or why it was refused. */
function describe({ isError, content, structuredContent, _meta }: CallToolResult): string {
  const text = content.map((block) => (block.type === 'text' ? block.text : '')).join(' ');
  const refusal = _meta?.[META] as { reason_code?: string } | undefined;
  if (refusal?.reason_code) return `is refused, ${refusal.reason_code}: ${text}`;
  if (isError) return `is told: ${text}`;
  const { amount } = structuredContent ?? {};
  if (typeof amount === 'number') return `is answered: amount ${amount}`;
  return `is answered: ${Object.keys(structuredContent ?? {})
    .sort()
    .join(', ')}`;
}
