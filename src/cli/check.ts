/** `portcullis check DIR`: what would be silently wrong in a policy, and what to write instead. */
import type { Variables } from '../config/environment.ts';
import { findings } from '../toolchain/build.ts';
import { parsePolicy } from '../toolchain/policy.ts';
import { openOpa, placeIn, readPolicySources, type PolicyOptions } from './policy_tools.ts';
import { print, printJson, printProgress, styled, type Terminal } from './terminal.ts';

export async function runCheck(
  folder: string,
  options: PolicyOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const sources = readPolicySources(folder, options);
  const opa = await openOpa(terminal, variables);
  printProgress(terminal, `checking ${sources.modules.length} modules`);
  const policy = await parsePolicy(opa, sources);
  const found = (await findings(opa, policy, options)).map((finding) => ({
    ...finding,
    place: placeIn(folder, finding.place),
  }));
  if (options.json) printJson(terminal, { findings: found });
  else printFindings(found, terminal);
  return found.length === 0 ? 0 : 1;
}

function printFindings(
  found: readonly { check: string; place: string; problem: string; instead: string }[],
  terminal: Terminal,
): void {
  const { stdout } = terminal;
  for (const { check, place, problem, instead } of found) {
    print(terminal, `${styled(stdout, 'bold', place)} ${problem} (${check})`);
    print(terminal, `  ${instead}`);
  }
  const summary = found.length === 0 ? 'nothing is refused' : `${found.length} refused`;
  print(terminal, styled(stdout, found.length === 0 ? 'green' : 'red', summary));
}
