/** A server on stdio that lists the tools of its argument, one on a page, and asks back once. */
import { createInterface } from 'node:readline';

const tools = JSON.parse(process.argv[2] ?? '[]') as object[];
const say = (message: object): void =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

for await (const line of createInterface(process.stdin)) {
  const { id, method, params } = JSON.parse(line) as {
    id?: number;
    method?: string;
    params?: { protocolVersion?: string; cursor?: string };
  };
  if (method === 'initialize') {
    const { protocolVersion } = params ?? {};
    say({ id: 'back', method: 'roots/list' });
    say({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo: {} } });
  } else if (method === 'tools/list') {
    const at = Number(params?.cursor ?? 0);
    const more = at + 1 < tools.length ? { nextCursor: `${at + 1}` } : {};
    say({ id, result: { tools: tools.slice(at, at + 1), ...more } });
  }
}
