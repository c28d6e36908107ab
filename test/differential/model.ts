/**
 * A generated policy as plain data: it is rendered as Rego for the engines, judged as it stands by
 * the oracle, and made smaller by leaving parts of it out.
 */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
export type JsonObject = Record<string, Json>;

/** What a rule may ask of a request, by the name under `data.mcp.request`. */
export type Fact = string;
/** A collection under `data.mcp.request`. */
export type Collection = 'groups' | 'chain' | 'capability.data_classes';
/** A member of the arguments, by its steps joined with a dot. */
export type Argument = string;

/** One condition of a body. */
export type Line =
  | { kind: 'name'; form: 'equals' | 'flipped' | 'set' | 'array'; names: string[] }
  | { kind: 'equals'; fact: Fact; value: Json; negated: boolean }
  | { kind: 'differs'; fact: Fact; value: Json }
  | { kind: 'present'; fact: Fact; negated: boolean }
  | { kind: 'member'; of: Collection; value: Json }
  | { kind: 'some'; of: Collection; values: Json[]; outside: boolean }
  | { kind: 'every'; of: Collection; values: Json[] }
  | { kind: 'helper'; bodies: Line[][]; negated: boolean }
  | { kind: 'level'; steps: Step[]; otherwise: number | null; expected: number; negated: boolean }
  | { kind: 'table'; entries: Entry[]; key: Fact | null; expected: number }
  | { kind: 'same'; facts: [Fact, Fact]; values: Json[] }
  | { kind: 'count'; form: CountForm; of: Collection; values: Json[]; at_least: number }
  | { kind: 'lookup'; key: Fact; expected: number }
  | ArgumentLine;

export type CountForm = 'set' | 'array' | 'object' | 'partial_set';

/** A condition over arguments, which only a region may hold. */
export type ArgumentLine =
  | { kind: 'compare'; test: Comparison; argument: Argument; operand: Operand }
  | { kind: 'argument'; argument: Argument; value: Json; negated: boolean }
  | { kind: 'argument_present'; argument: Argument; negated: boolean }
  | { kind: 'one_of'; argument: Argument; values: Json[] }
  | { kind: 'every_path'; argument: Argument; base: string }
  | { kind: 'number_of'; argument: Argument; at_most: number };

export type Comparison =
  'at_most' | 'at_least' | 'less_than' | 'more_than' | 'between' | 'path_under' | 'length_at_most';
/** A literal, or the caller's own entry of the table `limits`. */
export type Operand = number | string | 'own_limit';

/** A step of an `else` chain: the first whose lines hold gives the value. */
export interface Step {
  lines: Line[];
  value: number;
}

/** A member of a partial object. */
export interface Entry {
  key: string;
  value: number;
  lines: Line[];
}

export type Effect = 'allow' | 'deny' | 'limit' | 'require_approval' | 'oblige';

export interface Duty {
  duty: JsonObject;
  /** Member of the duty that a fact fills; absent where the fact is, and so is the duty. */
  filled?: { member: string; fact: Fact };
  lines: Line[];
}

export interface Rule {
  area: string;
  title: string;
  effect: Effect;
  /** How the bodies of `applies` are joined: as alternatives, after a default, or by `else`. */
  form: 'bodies' | 'default' | 'else';
  applies: Line[][];
  within?: Line[][];
  obligations?: Duty[];
  eligible?: Line[][];
  reason_code?: string;
  channels?: string[];
  /** The bodies of `applies` stand in two files. */
  split: boolean;
  /** What `data.mcp.request` is called: by its import, another name, or in full. */
  view: 'request' | 'asked' | 'data.mcp.request';
}

export interface Grant {
  id?: string;
  to: JsonObject;
  on: string;
  within?: Region;
  unless_within?: Region;
  require_approval?: { by: Json; not?: 'requester'; via?: string[] };
}

export type Region = Record<string, JsonObject>;

export interface Agent {
  clients?: string[];
  may: string[];
  risk_max?: string;
  delegates_to?: string[];
}

/** The data of a policy: the roots of the library, and the author's own. */
export interface PolicyData {
  registry: Record<string, JsonObject>;
  grants: Grant[];
  agents: Record<string, Agent>;
  surfaces: Record<string, { clients?: string[]; risk_max?: string; keep?: string }>;
  environments: Record<string, { risk_max?: string }>;
  limits: Record<string, Json>;
  levels: Record<string, number>;
  directory: Record<string, { manager: string }>;
}

export interface Policy {
  rules: Rule[];
  data: PolicyData;
}

/** A request as the decision point hands it to a policy; a list has `resources`. */
export interface Request {
  subject: { type: string; id: string; properties: JsonObject };
  action: { name: string };
  resource?: Resource;
  resources?: Resource[];
  context: JsonObject;
}

export interface Resource {
  type: string;
  id: string;
  properties: { server: string; definition_digest?: string };
}

/** What one voice says of one request. */
export interface Answer {
  decision: JsonObject | null;
  /** Ids that accept the caller as an approver. */
  eligible: Json[];
  /** Positions of the visible ones among `resources`. */
  visible: Json[];
}
