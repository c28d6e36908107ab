/** Builds the bundles that are committed, so that the demo and data-only users need no OPA. */
import { runBuild } from '../src/cli/build.ts';

/** Policy folder to bundle. */
export const BUNDLES: Readonly<Record<string, string>> = {
  'policies/mcp': 'bundles/mcp.tar.gz',
  'examples/payments-server/policy': 'bundles/payments.tar.gz',
};

if (import.meta.main) {
  for (const [folder, output] of Object.entries(BUNDLES)) {
    process.exitCode ||= await runBuild(folder, { output }, process);
  }
}
