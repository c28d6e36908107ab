/**
 * The second stage of the story: the same server over HTTP, where a real authorization server says
 * who asks. Each role brings a token of its own, and an agent one that it got for its user's.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../test/support/authorization_server.ts';

const SERVER = 'examples/payments-server/http.ts';

/** Who brings a token, as the authorization server knows them. */
export interface Bearer {
  user: string;
  client: string;
  claims: { groups: string[]; actor_type: string };
  /** The client that acts for the user, by a token that it got in exchange. */
  agent?: string;
  /** Somebody changed a letter of the token on the way. */
  forged?: true;
}

export interface Endpoint {
  /** A client that is let in; rejects where it is turned away. */
  connect(bearer: Bearer): Promise<Client>;
  close(): Promise<void>;
}

export interface EndpointSettings {
  root: string;
  environment: Record<string, string>;
  clients: readonly string[];
  verbose: boolean;
}

/** Starts both servers. Rejects where one does not come up. */
export async function openEndpoint(settings: EndpointSettings): Promise<Endpoint> {
  const authority = await startAuthorizationServer({ clients: settings.clients });
  const url = `http://127.0.0.1:${await freePort()}/mcp`;
  const server = spawnServer(url, authority.issuer, settings);
  const clients: Client[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
    server.kill('SIGKILL');
    await authority.close();
  };
  try {
    await announced(server);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async connect(bearer) {
      const client = new Client({ name: 'demo', version: '1.0.0' });
      const headers = { authorization: `Bearer ${await tokenOf(bearer, authority, url)}` };
      const transport = new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers },
      });
      await client.connect(transport);
      clients.push(client);
      return client;
    },
    close,
  };
}

async function tokenOf(
  { user, client, claims, agent, forged }: Bearer,
  authority: AuthorizationServer,
  resource: string,
): Promise<string> {
  const own = await authority.token({ client_id: client, resource, user, claims });
  const token =
    agent === undefined
      ? own
      : await authority.exchange({ client_id: agent, resource, subject_token: own });
  return forged ? changed(token) : token;
}

/** Another letter in the middle of what the token says. */
function changed(token: string): string {
  const at = Math.floor(token.length / 2);
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

function spawnServer(url: string, issuer: string, settings: EndpointSettings): ChildProcess {
  const argv = ['--conditions=portcullis-source', SERVER, new URL(url).port, issuer];
  const stderr = settings.verbose ? 'inherit' : 'ignore';
  return spawn(process.execPath, argv, {
    cwd: settings.root,
    env: settings.environment,
    stdio: ['ignore', 'pipe', stderr],
  });
}

/** Resolves with the first line that it prints. */
async function announced({ stdout }: ChildProcess): Promise<void> {
  if (stdout) for await (const _ of createInterface({ input: stdout })) return;
  throw new Error('the server over HTTP did not start; `--verbose` shows why');
}

/** The address of the server is what its tokens are made for, so it is chosen before it starts. */
async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, 'close');
  return port;
}
