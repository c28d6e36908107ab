/** A server of one SDK line over stdio, guarded as its configuration says: `<line>`. */
import { StdioServerTransport as Stdio1 } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StdioServerTransport as Stdio2 } from '@modelcontextprotocol/server/stdio';
import { guard } from 'portcullis';
import { buildServer, said, type Line } from '../pep/support/servers.ts';

const line = Number(process.argv[2]) as Line;
const tools = ['fine', 'refused', 'approval', 'actor'];
const more = Object.fromEntries(tools.map((name) => [name, () => said(`did ${name}`)]));

await guard(buildServer(line, undefined, more)).connect(line === 1 ? new Stdio1() : new Stdio2());
