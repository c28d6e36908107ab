/** What a server is given of the wrapper's environment: what programs need, and what is named. */
import { PortcullisError } from '../../errors.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** No secrets stand in these, and nothing that loads code into a process. */
const INHERITED: ReadonlySet<string> = new Set([
  'HOME',
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'USER',
]);

/** How the wrapper itself is set up, its policy and its secrets: no server is given any of it. */
const OWN = /^PORTCULLIS_/i;

/** Throws `CONFIGURATION_INVALID` for a name that is not set, or is one of ours. */
export function childEnvironment(
  variables: Variables,
  named: readonly string[],
): Record<string, string> {
  const entries = [...new Set([...INHERITED, ...named])].flatMap((name) => {
    if (OWN.test(name)) throw refused(name, 'configures the wrapper and is not given to a server');
    const value = variables[name];
    if (value !== undefined) return [[name, value] as const];
    if (INHERITED.has(name)) return [];
    throw refused(name, 'is to be given to the server and is not set');
  });
  return Object.fromEntries(entries);
}

function refused(name: string, fault: string): PortcullisError {
  const message = `the variable \`${name}\` ${fault}`;
  return new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/wrap/env' });
}
