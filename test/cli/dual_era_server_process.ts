/** A server of the 2.x line over stdio without a guard, for both eras or the one that is named. */
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { buildServer } from '../pep/support/servers.ts';

const legacy = process.argv.includes('modern') ? 'reject' : 'serve';

serveStdio(() => buildServer(2) as never, { legacy });
