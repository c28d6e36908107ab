/** The command line: which commands there are, with which options, and how they end. */
import { Command, CommanderError } from 'commander';
import type { Variables } from '../config/environment.ts';
import { runBuild, type BuildCommandOptions } from './build.ts';
import { runCheck } from './check.ts';
import { withPlaces, type PolicyOptions } from './policy_tools.ts';
import { runRegistry, type RegistryOptions } from './registry.ts';
import { runServe, type ServeOptions } from './serve.ts';
import { exitCodeOf, printError, tolerateClosed, type Terminal } from './terminal.ts';
import { runTest } from './test.ts';
import { runVerify, type VerifyOptions } from './verify.ts';
import { runWitness, type WitnessOptions } from './witness.ts';
import { tokenCommand } from './token.ts';
import { evidenceCommand } from './evidence.ts';
import { VERSION } from './version.ts';
import { runWrap, type WrapOptions } from './wrap.ts';

const USAGE = 2;

/** Runs one command and gives its exit code. Never rejects. */
export async function main(
  argv: readonly string[],
  terminal: Terminal = process,
  variables?: Variables,
): Promise<number> {
  tolerateClosed(terminal);
  let code = 0;
  const program = describeProgram(terminal, variables, (found) => {
    code = found;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    printError(terminal, error);
    return exitCodeOf(error);
  }
}

function describeProgram(
  terminal: Terminal,
  variables: Variables | undefined,
  done: (code: number) => void,
): Command {
  const program = new Command('portcullis')
    .description('decides for MCP servers who may see and use which capability')
    .version(VERSION, '--version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'ARGUMENT_INVALID: ')),
    })
    .showHelpAfterError('  see --help of that command')
    .addHelpText('after', '\nExample:\n  $ portcullis test policies/payments');

  serveCommand(program).action(async (options: ServeOptions) =>
    done(await runServe(options, terminal, variables)),
  );
  wrapCommand(program).action(async (command: string[], options: WrapOptions) =>
    done(await runWrap(command, options, terminal, variables)),
  );
  policyCommand(program, 'check', 'refuse what would be silently wrong in a policy').action(
    async (folder: string, options: PolicyOptions) =>
      done(await withPlaces(folder, () => runCheck(folder, options, terminal, variables))),
  );
  policyCommand(program, 'test', "run a policy's tests in OPA and in the compiled policy").action(
    async (folder: string, options: PolicyOptions) =>
      done(await withPlaces(folder, () => runTest(folder, options, terminal, variables))),
  );
  policyCommand(program, 'build', 'make a bundle of a policy', ' -o policy.tar.gz')
    .requiredOption('-o, --output <file>', 'where to write the bundle')
    .option('--revision <text>', 'revision of the bundle (default: from the digest of the sources)')
    .option('--unsafe-allow-all', 'mark the bundle as one that may allow everything')
    .action(async (folder: string, options: BuildCommandOptions) =>
      done(await withPlaces(folder, () => runBuild(folder, options, terminal, variables))),
    );
  registryCommand(program).action(
    async (folder: string, command: string[], options: RegistryOptions) =>
      done(
        await withPlaces(folder, () => runRegistry(folder, command, options, terminal, variables)),
      ),
  );
  verifyCommand(program).action(async (receipts: string[], options: VerifyOptions) =>
    done(await runVerify(receipts, options, terminal)),
  );
  witnessCommand(program).action(async (options: WitnessOptions) =>
    done(await runWitness(options, terminal)),
  );
  tokenCommand(program, terminal, variables, done);
  evidenceCommand(program, terminal, done);
  return program;
}

function serveCommand(program: Command): Command {
  return program
    .command('serve')
    .description('decide over HTTP, for guards and for whoever speaks AuthZEN')
    .option('--config <file>', 'configuration (default: portcullis.yaml where there is one)')
    .option('--bundle <path>', 'the policy: setting policy.bundle')
    .option('--policy-data <path>', 'data of the policy: setting policy.data')
    .option('--data <folder>', 'folder for evidence, token and socket: setting state')
    .option('--listen <host:port>', 'setting pdp.listen; null is no TCP')
    .option('--socket <path>', 'setting pdp.socket; null is none')
    .option('--json', 'print the addresses as JSON')
    .addHelpText('after', '\nExample:\n  $ portcullis serve --bundle bundles/mcp.tar.gz');
}

function registryCommand(program: Command): Command {
  return program
    .command('registry <folder> [command...]')
    .description('check the rules against the tools that a server lists now')
    .option('--server <name>', 'name of the server in the registry (default: the only one)')
    .option('--upstream <url>', 'a server over HTTP, in the place of a command')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ portcullis registry policies/payments -- node payments_server.js',
    );
}

function wrapCommand(program: Command): Command {
  return program
    .command('wrap [command...]')
    .usage('[options] -- <command> [arguments...]')
    .description('guard an MCP server that nobody changed')
    .option('--config <file>', 'configuration (default: portcullis.yaml where there is one)')
    .option('--server <name>', 'its name in the policy: setting guard.server')
    .option('--bundle <path>', 'decide in this process by this policy: setting policy.bundle')
    .option('--policy-data <path>', 'data of the policy: setting policy.data')
    .option('--data <folder>', 'folder for evidence and keys: setting state')
    .option('--env <name...>', 'variables that the server is given: setting wrap.env')
    .option('--upstream <url>', 'a server over HTTP, in the place of a command')
    .option('--listen <host:port>', 'where it is served then: setting wrap.listen')
    .option('--upstream-header-env <name=variable...>', 'proof for it: wrap.upstream_headers')
    .addHelpText(
      'after',
      '\nExample:\n  $ portcullis wrap --server files --bundle policy.tar.gz -- ' +
        'npx @modelcontextprotocol/server-filesystem DIR',
    );
}

function verifyCommand(program: Command): Command {
  return program
    .command('verify [receipts...]')
    .description('say whether receipts, or a whole log, are true, by nothing but public keys')
    .option('--key <key or file>', 'key of the log, or a file with one a line (repeatable)', append)
    .option('--policy <file>', 'trusted logs and witnesses, and how many must agree (tlog-policy)')
    .option('--log <folder or url>', 'judge a whole log in the place of receipts')
    .option('--since <file>', 'a checkpoint that was kept: the log must begin with its tree')
    .option('--token-file <file>', 'a token that may read the log, where it takes one')
    .option('--hashes', 'judge the tree of the log without reading its records')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ portcullis verify decision.tlog-proof --key log.vkey');
}

function witnessCommand(program: Command): Command {
  return program
    .command('witness')
    .description('cosign the checkpoints of a log that keeps its past')
    .option('--log <folder or url>', 'the log to follow')
    .option('--token-file <file>', 'a token that may read the log, where it takes one')
    .requiredOption('--key <key or file>', 'key of a log, or a file of them (repeatable)', append)
    .requiredOption('--key-file <file>', 'signing key of the witness')
    .option(
      '--name <name>',
      'make the signing key, for a witness of this name, where there is none',
    )
    .requiredOption('--state <folder>', 'what was cosigned last; of one witness at a time')
    .option('--once', 'cosign once and print the checkpoint')
    .option('--listen <host:port>', 'where logs ask for cosignatures over HTTP')
    .option('--interval-seconds <number>', 'how often the log is looked at', '10')
    .option('--json', 'print results as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ portcullis witness --log https://log.example.com/evidence --key log.vkey ' +
        '--key-file witness.key --state witness',
    );
}

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** What the commands on a policy folder have in common. */
function policyCommand(program: Command, name: string, description: string, more = ''): Command {
  return program
    .command(`${name} <folder>`)
    .description(description)
    .option('--entrypoint <path>', 'the policy has a contract of its own, with this entrypoint')
    .option('--discovery <path>', 'its second entrypoint, for lists')
    .option('--strict-style', 'house style is a gate too: format, titles, tests, coverage')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', `\nExample:\n  $ portcullis ${name} policies/payments${more}`);
}
