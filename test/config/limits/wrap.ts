/** The limits of `wrap`. */
import { Child } from '../../../src/gateway/stdio/child.ts';
import { wrapStdio } from '../../../src/gateway/stdio/wrap.ts';
import { callOf, End, greeted, opening } from '../../gateway/support/relay.ts';
import { around, TAKEN, type Probe, type TimeProbe } from './probe.ts';

const EXEC = process.execPath;

/** The size is that of a line without its end. */
export function messageBytes(): Promise<Probe> {
  return around(2048, async (amount, message_bytes_max) => {
    const { host } = await greeted({}, { message_bytes_max });
    const frame_bytes = JSON.stringify(callOf(1, 'balance', { text: '' })).length;
    host.say(callOf(1, 'balance', { text: 'x'.repeat(amount - frame_bytes) }));
    const { error } = (await host.answerTo(1)) as { error?: { data: { code: string } } };
    return error?.data.code ?? TAKEN;
  });
}

/** A server that ends after SIGTERM in its own time, or never. */
export async function stopGrace(): Promise<TimeProbe> {
  const stopped = async (script: string, grace_ms: number): Promise<string> => {
    const child = await Child.start({ file: EXEC, arguments: ['-e', script], env: {} });
    for await (const _ready of child.stdout) break;
    await child.kill(grace_ms);
    return child.exited;
  };
  const ready = 'console.log(1); setInterval(() => {}, 1000);';
  const at_once = `process.on("SIGTERM", () => process.exit(0)); ${ready}`;
  const ignoring = `process.on("SIGTERM", () => {}); ${ready}`;
  return { soon: await stopped(at_once, 60_000), never: await stopped(ignoring, 30) };
}

/** A call that is awaited when the host ends its input. */
export async function drainTimeout(): Promise<TimeProbe> {
  const awaited = async (answers: boolean, drain_timeout_ms: number): Promise<string> => {
    const answer = answers ? 'console.log(JSON.stringify({ jsonrpc: "2.0", id, result: {} }))' : '';
    const script =
      'require("readline").createInterface({ input: process.stdin }).on("line", (line) => {' +
      `const { id } = JSON.parse(line); ${answer} })`;
    const host = new End().listen();
    const { open, parts } = opening();
    const running = wrapStdio(
      { stdin: host.out, stdout: host.in },
      { file: EXEC, arguments: ['-e', script], env: {} },
      {
        open,
        settings: { message_bytes_max: 4096, stop_grace_ms: 60_000, drain_timeout_ms },
        log: parts.log,
        stderr: new End().listen().in,
        name: 'test',
        stopped: new Promise(() => undefined),
      },
    );
    host.say({ jsonrpc: '2.0', id: 1, method: 'ping' });
    host.out.end();
    const { error } = (await host.answerTo(1)) as { error?: { message: string } };
    await running;
    return error?.message ?? TAKEN;
  };
  return { soon: await awaited(true, 60_000), never: await awaited(false, 50) };
}
