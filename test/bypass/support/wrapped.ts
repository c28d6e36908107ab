/** Wrappers before servers that nobody changed, with the policy that the attacks meet. */
import { HttpGateway } from '../../../src/gateway/http/gateway.ts';
import { Connection, shareOf } from '../../../src/pep/connection.ts';
import type { Wire as Ends } from '../../../src/pep/ends.ts';
import { PolicyWatches } from '../../../src/pep/policy_watch.ts';
import type { GuardParts } from '../../../src/pep/settings.ts';
import { knownBy } from '../../gateway/support/http.ts';
import { Bank } from './bank.ts';
import { overHttp, type Handle, type HttpWire } from './doors.ts';
import { authInfoOf } from './policy.ts';
import { partsOf, type Open, type Victim } from './targets.ts';

/** What opens the guard of a connection, and what it works with. */
export async function opening(
  victim: Victim,
): Promise<{ open: (wire: Ends) => Connection; parts: GuardParts }> {
  const parts = await partsOf(victim);
  const { decisionPoint, settings, log } = parts;
  const watches = new PolicyWatches(decisionPoint, settings, log);
  const shared = shareOf(parts, watches);
  return { open: (wire) => new Connection(parts, shared, 2, wire), parts };
}

/** A wrapper before a server over HTTP, reached in a session. */
export function wrappedHttp(upstream: (bank: Bank) => Handle, victim: Victim = {}): Open<HttpWire> {
  return async () => {
    const bank = new Bank();
    const { open, parts } = await opening(victim);
    const server = await overHttp(upstream(bank));
    const hosts = new Set<string>();
    const gateway = new HttpGateway({
      open,
      upstream: { url: server.url, headers: {}, message_bytes_max: 65_536 },
      guard: parts,
      hosts,
      authenticate: knownBy((header) => authInfoOf(header ?? null)),
    });
    const handle: Handle = (req, res) => {
      hosts.add(req.headers.host ?? '');
      return gateway.handle(req, res);
    };
    const close = async () => {
      gateway.close();
      await server.close();
    };
    return { ...(await overHttp(handle, { as: victim.as, sessions: true, close })), bank };
  };
}
