/** The payments server over stdio, guarded. Settings: portcullis.yaml or PORTCULLIS_*. */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { guard } from 'portcullis';
import { buildServer } from './server.ts';

await guard(buildServer()).connect(new StdioServerTransport());
