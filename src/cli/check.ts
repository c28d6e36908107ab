/** `portcullis check DIR`: what would be silently wrong in a policy, and what to write instead. */
import type { Variables } from '../config/environment.ts';
import { findings } from '../toolchain/build.ts';
import { listNotes, unreadNotes } from '../toolchain/notes.ts';
import { parsePolicy, type Finding } from '../toolchain/policy.ts';
import { unreadFiles } from '../toolchain/sources.ts';
import { styleFindings } from '../toolchain/style.ts';
import {
  openOpa,
  placeIn,
  readPolicySources,
  readSettings,
  type PolicyOptions,
} from './policy_tools.ts';
import { print, printJson, printProgress, styled, type Terminal } from './terminal.ts';

export async function runCheck(
  folder: string,
  options: PolicyOptions,
  terminal: Terminal,
  variables?: Variables,
): Promise<number> {
  const settings = readSettings(variables);
  const sources = readPolicySources(folder, options, settings.policy);
  const opa = await openOpa(terminal, settings.toolchain, variables);
  printProgress(terminal, `checking ${sources.modules.length} modules`);
  const policy = await parsePolicy(opa, sources);
  const found = await findings(opa, policy, options);
  const style = options.strictStyle ? await styleFindings(opa, policy) : [];
  const refused = [...found, ...style].map((finding) => located(finding, folder));
  const noted = [
    ...listNotes(policy, options),
    ...unreadNotes(unreadFiles(folder, settings.policy)),
  ];
  const notes = noted.map((finding) => located(finding, folder));
  if (options.json) printJson(terminal, { findings: refused, notes });
  else printFindings(refused, notes, terminal);
  return refused.length === 0 ? 0 : 1;
}

function located(finding: Finding, folder: string): Finding {
  return { ...finding, place: placeIn(folder, finding.place) };
}

function printFindings(
  refused: readonly Finding[],
  notes: readonly Finding[],
  terminal: Terminal,
): void {
  const { stdout } = terminal;
  for (const { check, place, problem, instead } of [...refused, ...notes]) {
    print(terminal, `${styled(stdout, 'bold', place)} ${problem} (${check})`);
    print(terminal, `  ${instead}`);
  }
  const summary = refused.length === 0 ? 'nothing is refused' : `${refused.length} refused`;
  print(terminal, styled(stdout, refused.length === 0 ? 'green' : 'red', summary));
}
