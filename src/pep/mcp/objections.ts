/**
 * 2.x looks at a message before the server sees it (headers that mirror arguments, scope
 * challenges), and what it says then would tell that a hidden tool exists. A message that it
 * answers so is sent in again past those looks, to be decided on and not executed: only one who
 * may know of the tool is told the objection, and everybody else what the guard says.
 */
import type { Entrance } from '../gate.ts';
import type { Message } from '../message.ts';
import { detect } from './lines.ts';

/** Sends a message in by `enter`, which heeds whether it is to pass those looks. */
export async function pastObjections(
  message: Message | undefined,
  enter: (entrance: Entrance) => Promise<Response>,
): Promise<Response> {
  const first = { arrived: false, objected: false, known: false };
  const response = await enter(first);
  if (first.arrived || message?.kind !== 'request') return response;
  const second = { arrived: false, objected: true, known: false };
  const decided = await whole(await enter(second));
  return second.known ? response : decided;
}

/** What an `McpServer` of 2.x is asked before a message is its own. */
export function withoutLooks(server: object): void {
  const { high } = detect(server);
  const nothing = () => undefined;
  if (high) Object.assign(high, { toolInputSchemaJson: nothing, resolveScopeChallenge: nothing });
}

/** Waits for the end of a response, which may begin before anything is decided. */
async function whole(response: Response): Promise<Response> {
  return new Response(await response.arrayBuffer(), response);
}
