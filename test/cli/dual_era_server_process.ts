/** A server of the 2.x line over stdio, which speaks both eras and has no guard. */
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { buildServer } from '../pep/support/servers.ts';

serveStdio(() => buildServer(2) as never);
