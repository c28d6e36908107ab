/** The steps of the demo: who does what, and what must be seen. */
import type { Bearer } from './endpoint.ts';

/** Who sits before the server, as its launcher is configured. */
export interface Role {
  id: string;
  actor_type: 'human' | 'automation';
  group: string;
  environment: 'production' | 'development';
  surface?: string;
}

const ALICE: Role = {
  id: 'user:alice@example.com',
  actor_type: 'human',
  group: 'tellers',
  environment: 'production',
};
const BOB: Role = { ...ALICE, id: 'user:bob@example.com' };
const DANA: Role = {
  ...ALICE,
  id: 'user:dana@example.com',
  group: 'support',
  surface: 'support_bot',
};
const NIGHTLY: Role = {
  ...ALICE,
  id: 'service:nightly-ledger',
  actor_type: 'automation',
  group: 'automation',
};
const ERIN: Role = {
  ...ALICE,
  id: 'user:erin@example.com',
  group: 'developers',
  environment: 'development',
};

/** Over HTTP: Alice at the desk, and what else comes with her name. */
const DESK: Bearer = {
  user: 'alice@example.com',
  client: 'cid-teller-desk',
  claims: { groups: ['tellers'], actor_type: 'human' },
};

function deskAs(actor_type: string): Bearer {
  return { ...DESK, claims: { ...DESK.claims, actor_type } };
}

const PLANNER: Bearer = { ...DESK, agent: 'cid-planner' };

/** Every client that the authorization server knows. */
export const CLIENTS: readonly string[] = [DESK.client, 'cid-planner'];

/** Who asks: over stdio as the launcher says, over HTTP as a token proves. */
export type Who = Role | Bearer;

export type Act =
  | { kind: 'list'; role: Who }
  | { kind: 'call'; role: Who; tool: string; arguments: Record<string, unknown> }
  | { kind: 'stop_service' | 'start_service' }
  | { kind: 'edit_data'; from: string; to: string }
  /** The receipt of the first record that reads so, or a copy that says the opposite. */
  | { kind: 'receipt'; of: string; changed?: boolean };

export interface Step {
  title: string;
  act: Act;
  /** What is seen when it goes as told. */
  expected: string;
  /** Outcome and reason of the record that was made; nothing where none can be. */
  recorded: string;
}

function call(role: Who, tool: string, args: Record<string, unknown>): Act {
  return { kind: 'call', role, tool, arguments: args };
}

function transfer(role: Who, amount: number): Act {
  return call(role, 'transfer', { from: 'acc-1', to: 'acc-2', amount, currency: 'EUR' });
}

export const STORY: readonly Step[] = [
  {
    title: 'Alice, a teller, lists the tools in production.',
    act: { kind: 'list', role: ALICE },
    expected: 'sees balance, customer, transfer',
    recorded: 'discovery: 3 shown, 5 withheld',
  },
  {
    title: 'The nightly job, an automation, asks the same server.',
    act: { kind: 'list', role: NIGHTLY },
    expected: 'sees balance, export_ledger',
    recorded: 'discovery: 2 shown, 6 withheld',
  },
  {
    title: 'Erin, a developer, asks it where it is guarded as development.',
    act: { kind: 'list', role: ERIN },
    expected: 'sees reset_sandbox',
    recorded: 'discovery: 1 shown, 7 withheld',
  },
  {
    title: 'Alice transfers 9000 EUR, which is within her limit.',
    act: transfer(ALICE, 9000),
    expected: 'is answered: amount 9000',
    recorded: 'decision: allow ALLOWED',
  },
  {
    title: 'Bob tries 501 EUR; his own limit is 500.',
    act: transfer(BOB, 501),
    expected: 'is refused, TRANSFER_LIMIT: The amount is beyond what you may transfer.',
    recorded: 'decision: deny TRANSFER_LIMIT',
  },
  {
    title: 'Alice tries 10001 EUR, for which her manager would have to approve.',
    act: transfer(ALICE, 10_001),
    expected:
      'is refused, APPROVAL_REQUIRED: A transfer over 10 000 needs the approval of your manager.',
    recorded: 'decision: require_approval MANAGER_APPROVAL',
  },
  {
    title: 'Alice calls export_ledger, which is hidden from her.',
    act: call(ALICE, 'export_ledger', {}),
    expected: 'is told: MCP error -32602: Tool export_ledger not found',
    recorded: 'decision: deny CAPABILITY_NOT_ALLOWED',
  },
  {
    title: 'She calls a tool that does not exist; the answer is the same.',
    act: call(ALICE, 'export_legder', {}),
    expected: 'is told: MCP error -32602: Tool export_legder not found',
    recorded: 'decision: deny ENVIRONMENT_BOUNDARY',
  },
  {
    title: 'Alice looks a customer up.',
    act: call(ALICE, 'customer', { id: 'c-1' }),
    expected: 'is answered: email, iban, id, name, phone, segment, since',
    recorded: 'decision: allow ALLOWED',
  },
  {
    title: 'Dana does so through the support bot, which keeps public fields only.',
    act: call(DANA, 'customer', { id: 'c-1' }),
    expected: 'is answered: id, segment, since',
    recorded: 'decision: allow ALLOWED, keep_fields',
  },
  {
    title: 'The decision service stops. Alice tries what she was allowed before.',
    act: { kind: 'stop_service' },
    expected: 'the service has stopped',
    recorded: '',
  },
  {
    title: 'Nothing is decided, so nothing is done.',
    act: transfer(ALICE, 9000),
    expected: 'is refused, POLICY_UNAVAILABLE: The server policy is not available.',
    recorded: '',
  },
  {
    title: 'The service starts again, over the same evidence.',
    act: { kind: 'start_service' },
    expected: 'the service is ready',
    recorded: '',
  },
  {
    title: "Somebody raises Bob's limit in data.yaml, from 500 to 600.",
    act: {
      kind: 'edit_data',
      from: "'user:bob@example.com': 500",
      to: "'user:bob@example.com': 600",
    },
    expected: 'another policy is in force',
    recorded: 'activation',
  },
  {
    title: 'Bob tries his 501 EUR again.',
    act: transfer(BOB, 501),
    expected: 'is answered: amount 501',
    recorded: 'decision: allow ALLOWED',
  },
  {
    title: 'Transfers now demand a person, or an AI that a person watches.',
    act: {
      kind: 'edit_data',
      from: 'title: Transfer between accounts',
      to: 'title: Transfer between accounts\n    actor_required: supervised_ai',
    },
    expected: 'another policy is in force',
    recorded: 'activation',
  },
  {
    title: 'The same server over HTTP, where an authorization server says who asks: Alice, human.',
    act: transfer(DESK, 9000),
    expected: 'is answered: amount 9000',
    recorded: 'decision: allow ALLOWED',
  },
  {
    title: 'The same call with her name, by an AI that she watches.',
    act: transfer(deskAs('supervised_ai'), 9000),
    expected: 'is answered: amount 9000',
    recorded: 'decision: allow ALLOWED',
  },
  {
    title: 'The same call by an automation, for which there is no such tool.',
    act: transfer(deskAs('automation'), 9000),
    expected: 'is told: MCP error -32602: Tool transfer not found',
    recorded: 'decision: deny ACTOR_VALIDATION_FAILED',
  },
  {
    title: 'The same call by a service account.',
    act: transfer(deskAs('service_account'), 9000),
    expected: 'is told: MCP error -32602: Tool transfer not found',
    recorded: 'decision: deny ACTOR_VALIDATION_FAILED',
  },
  {
    title: 'An agent acts for Alice, by a token that it got for hers; it may see less than she.',
    act: { kind: 'list', role: PLANNER },
    expected: 'sees balance, customer',
    recorded: 'discovery: 2 shown, 6 withheld',
  },
  {
    title: 'The same call by the agent: what is hidden from it does not exist.',
    act: transfer(PLANNER, 9000),
    expected: 'is told: MCP error -32602: Tool transfer not found',
    recorded: 'decision: deny RISK_CEILING',
  },
  {
    title: "The same call with a letter of Alice's token changed.",
    act: transfer({ ...DESK, forged: true }, 9000),
    expected: 'is turned away: 401',
    recorded: '',
  },
  {
    title: 'Bob disputes his refusal. Its receipt is true for whoever has the key of the log.',
    act: { kind: 'receipt', of: 'decision: deny TRANSFER_LIMIT' },
    expected: 'is true: user:bob@example.com, tools/call, deny TRANSFER_LIMIT',
    recorded: '',
  },
  {
    title: 'A copy that says he was allowed is not.',
    act: { kind: 'receipt', of: 'decision: deny TRANSFER_LIMIT', changed: true },
    expected: 'is false: INCLUSION_FALSE',
    recorded: '',
  },
];
