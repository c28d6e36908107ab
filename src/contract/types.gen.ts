/* Generated from src/contract/schemas by scripts/generate_types.ts; do not edit. */

/**
 * A plain AuthZEN evaluation request (Authorization API 1.0, section 6.1); unknown members are ignored.
 */
export interface AuthzenEvaluationRequest {
  subject: AuthzenSubject;
  action: AuthzenAction;
  resource: AuthzenResource;
  context?: AuthzenContext;
  [k: string]: unknown;
}

export interface AuthzenSubject {
  type: string;
  id: string;
  properties?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface AuthzenAction {
  name: string;
  properties?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface AuthzenResource {
  type: string;
  id: string;
  properties?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface AuthzenContext {
  [k: string]: unknown;
}

/**
 * A plain AuthZEN evaluations request (Authorization API 1.0, section 7.1). What an entry lacks is taken whole from the top; what is still missing denies that entry.
 */
export interface AuthzenEvaluationsRequest {
  subject?: AuthzenPartialSubject;
  action?: AuthzenPartialAction;
  resource?: AuthzenPartialResource;
  context?: AuthzenPartialContext;
  evaluations?: {
    subject?: AuthzenPartialSubject;
    action?: AuthzenPartialAction;
    resource?: AuthzenPartialResource;
    context?: AuthzenPartialContext;
    [k: string]: unknown;
  }[];
  options?: {
    evaluations_semantic?: 'execute_all' | 'deny_on_first_deny' | 'permit_on_first_permit';
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface AuthzenPartialSubject {
  type?: string;
  id?: string;
  properties?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface AuthzenPartialAction {
  name?: string;
  properties?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface AuthzenPartialResource {
  type?: string;
  id?: string;
  properties?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

export interface AuthzenPartialContext {
  [k: string]: unknown;
}

export type Outcome = 'allow' | 'deny' | 'require_approval';

/**
 * SHA-256 over RFC 8785 canonical JSON.
 */
export type Digest = string;

/**
 * `metadata.portcullis` of a bundle's .manifest.
 */
export interface BundleMetadata {
  schema_version: 1;
  entrypoint?: string;
  discovery?: string;
  /**
   * Entrypoint that yields the rules that accept the caller as an approver.
   */
  approval?: string;
  /**
   * Entrypoint that yields what is masked in the evidence; without it `system/log/mask`, where there is one.
   */
  mask?: string;
  search?: {
    subject?: string;
    resource?: string;
    action?: string;
  };
  /**
   * Argument projection of the rules, derived at build; the data's own is added when the data is loaded.
   */
  arguments?: {
    [k: string]: string[];
  };
  /**
   * Data roots that grants may name in `{data: …}`.
   */
  tables?: string[];
  /**
   * Run before activation; one that fails refuses the bundle.
   */
  self_tests?: {
    title: string;
    input: {
      [k: string]: unknown;
    };
    outcome: Outcome;
  }[];
  unsafe_allow_all?: boolean;
  sources_digest?: Digest;
  opa_version?: string;
}

/**
 * What kind of actor calls (SEP); counts only from a caller with the scope attest:actor.
 */
export type ActorType = 'human' | 'supervised_ai' | 'automation' | 'service_account';

/**
 * RFC 3339, UTC, without leap seconds.
 */
export type Time = string;

/**
 * HMAC-SHA-256 under the deployment's key over RFC 8785 canonical JSON.
 */
export type KeyedDigest = string;

/**
 * A list as one AuthZEN evaluations request: subject, action and context once, an entry for each capability.
 */
export interface DiscoveryRequest {
  subject: Subject;
  action: Action;
  context: Context;
  evaluations: {
    resource: Resource;
  }[];
  options: {
    portcullis: {
      discovery: {
        catalogue_digest: Digest;
        cursor?: string;
      };
    };
  };
}

/**
 * Who asks.
 */
export interface Subject {
  type: 'identity';
  /**
   * Principal, such as user:alice@example.com.
   */
  id: string;
  properties?: {
    actor_type?: ActorType;
    groups?: string[];
    tenant?: string;
    /**
     * How the user authenticated (OpenID Connect acr, amr, auth_time).
     */
    assurance?: {
      acr?: string;
      amr?: string[];
      authenticated_at?: Time;
    };
    /**
     * The token's act chain (RFC 8693), outermost actor first.
     */
    delegation?: {
      id: string;
      actor_type?: ActorType;
    }[];
    /**
     * Which source proved the attributes, by names of claims, never values.
     */
    evidence?: {
      source: string;
      issuer?: string;
      claims?: string[];
    }[];
  };
}

/**
 * What is asked.
 */
export interface Action {
  /**
   * The MCP method, such as tools/call.
   */
  name: string;
  properties?: {
    /**
     * The SEP word, such as execute.
     */
    verb?: string;
  };
}

/**
 * The circumstances.
 */
export interface Context {
  profile: 'mcp/1';
  phase: 'discovery' | 'call';
  /**
   * The client that speaks for the user.
   */
  agent?: {
    /**
     * Client id of the agent, proved where verified is true.
     */
    id?: string;
    verified?: boolean;
    /**
     * What somebody said of themselves; policy may read it, nothing trusts it.
     */
    claimed?: {
      [k: string]: unknown;
    };
  };
  surface?: string;
  environment?: {
    deployment?: string;
    risk?: string;
  };
  session?: {
    state: 'active' | 'expired' | 'step_up';
    expires_at?: Time;
  };
  purpose?: {
    text: string;
    source: string;
  };
  /**
   * The arguments that the policy needs, projected; absent in a discovery.
   */
  arguments?: {
    [k: string]: unknown;
  };
  arguments_digest?: KeyedDigest;
  /**
   * Digest of the projection that was followed.
   */
  arguments_projection?: string;
  pep?: {
    /**
     * Obligation types that this PEP can fulfil.
     */
    obligations?: (
      | 'keep_fields'
      | 'mask_fields'
      | 'redact_patterns'
      | 'limit_result'
      | 'set_arguments'
      | 'cap_arguments'
      | 'step_up'
      | 'rate_limit'
      | 'notify'
      | 'log'
    )[];
  };
  request?: {
    id?: string | number;
    protocol_version?: string;
    transport?: string;
    traceparent?: string;
  };
  /**
   * What somebody said of themselves; policy may read it, nothing trusts it.
   */
  claimed?: {
    [k: string]: unknown;
  };
  /**
   * A claim. The PDP replaces it by what its own store says.
   */
  approval?: {
    [k: string]: unknown;
  };
  /**
   * A claim. The PDP replaces it by its own clock.
   */
  time?: string;
}

/**
 * The capability.
 */
export interface Resource {
  type: 'tool' | 'resource' | 'resource_template' | 'prompt' | 'task' | 'completion' | 'mcp_server';
  /**
   * Name or URI of the capability.
   */
  id: string;
  properties: {
    /**
     * The server that owns the capability; no slash, so that names have one reading.
     */
    server: string;
    definition_digest?: Digest;
  };
}

/**
 * Why a request got no decision. A deny is no error.
 */
export interface ErrorResponse {
  error: {
    /**
     * A stable code of docs/errors.md.
     */
    code: string;
    /**
     * For people; it holds nothing of the request.
     */
    message: string;
    /**
     * The place in the body that is at fault (RFC 6901).
     */
    pointer?: string;
  };
}

/**
 * One evaluation of the MCP profile (mcp/1) of the AuthZEN Authorization API 1.0.
 */
export interface EvaluationRequest {
  subject: Subject;
  action: Action;
  resource: Resource;
  context: Context;
}

export type ReasonCode = string;

/**
 * A duty of the PEP; the list is closed.
 */
export type Obligation =
  | KeepFields
  | MaskFields
  | RedactPatterns
  | LimitResult
  | SetArguments
  | CapArguments
  | StepUp
  | RateLimit
  | Notify
  | Log;

/**
 * JSON Pointer (RFC 6901); `*` stands for any member.
 */
export type Pointer = string;

/**
 * What happens to content that is not JSON.
 */
export type Unstructured = 'refuse' | 'drop' | 'redact';

/**
 * Default true: a PEP that cannot fulfil it refuses.
 */
export type Mandatory = boolean;

/**
 * The answer to one evaluation; `decision` alone is enough to be safe.
 */
export interface EvaluationResponse {
  decision: boolean;
  context: ResponseContext;
}

/**
 * What stands behind the decision.
 */
export interface ResponseContext {
  outcome: Outcome;
  /**
   * False: answer as if the capability did not exist.
   */
  visible: boolean;
  reason_code: ReasonCode;
  /**
   * What the caller may read.
   */
  safe_message?: string;
  constraints: Constraints;
  obligations: Obligation[];
  evaluation_id?: string;
  policy?: Policy;
  /**
   * Access Request and Approval Profile: how to ask for the missing approval.
   */
  access_request?: {
    [k: string]: unknown;
  };
  arguments_projection?: Projection;
}

/**
 * Requirements to satisfy, never decisions (SEP).
 */
export interface Constraints {
  actor_required?: 'human' | 'supervised_ai' | 'automation' | 'service_account';
  approval_required?: boolean;
  require_approval_via?: 'task' | 'elicitation' | 'none';
}

export interface KeepFields {
  type: 'keep_fields';
  paths: Pointer[];
  unstructured: Unstructured;
  mandatory?: Mandatory;
}

export interface MaskFields {
  type: 'mask_fields';
  paths: Pointer[];
  mode: 'remove' | 'replace' | 'digest';
  unstructured: Unstructured;
  mandatory?: Mandatory;
}

export interface RedactPatterns {
  type: 'redact_patterns';
  classes: string[];
  unstructured: Unstructured;
  mandatory?: Mandatory;
}

export interface LimitResult {
  type: 'limit_result';
  bytes_max?: number;
  items_max?: number;
  mandatory?: Mandatory;
}

export interface SetArguments {
  type: 'set_arguments';
  values: {
    [k: string]: unknown;
  };
  mandatory?: Mandatory;
}

export interface CapArguments {
  type: 'cap_arguments';
  limits: {
    [k: string]: number;
  };
  mandatory?: Mandatory;
}

export interface StepUp {
  type: 'step_up';
  acr?: string;
  amr?: string[];
  mandatory?: Mandatory;
}

export interface RateLimit {
  type: 'rate_limit';
  key: string;
  limit: number;
  window_seconds: number;
  mandatory?: Mandatory;
}

export interface Notify {
  type: 'notify';
  target: string;
  mandatory?: Mandatory;
}

export interface Log {
  type: 'log';
  level: 'debug' | 'info' | 'warn' | 'error';
  mandatory?: Mandatory;
}

/**
 * The policy that decided.
 */
export interface Policy {
  revision: string;
  digest: Digest;
}

/**
 * Which arguments a PEP sends.
 */
export interface Projection {
  digest: Digest;
  /**
   * Capability name, `type:server/*` or `*` to the JSON Pointers of the arguments that its rules read; the empty pointer is all of them.
   */
  pointers: {
    [k: string]: string[];
  };
}

/**
 * The answers to a batch, in the order of its entries.
 */
export interface EvaluationsResponse {
  evaluations: {
    decision: boolean;
    context?: ResponseContext;
  }[];
}

/**
 * A record of the evidence log. The first five members stand in each; `kind` says which others may, and which must. A member of a group that `seals` names may be absent: it was redacted.
 */
export interface EvidenceRecord {
  v: 1;
  index: number;
  time: Time;
  instance: string;
  kind:
    | 'decision'
    | 'discovery'
    | 'actor_failure'
    | 'approval'
    | 'outcome'
    | 'outcomes_unreported'
    | 'backend_error'
    | 'activation'
    | 'start'
    | 'stop'
    | 'recovery'
    | 'redaction';
  /**
   * Salted digests of the members that stand beside the leaf, by their group. A group without its members was redacted.
   */
  seals?: {
    arguments?: Digest;
    internals?: Digest;
    items?: Digest;
    request?: Digest;
  };
  evaluation_id?: string;
  caller?: string;
  /**
   * Whose policy was activated, where each tenant has its own.
   */
  tenant?: string;
  /**
   * Of an outcome: the tenant of the subject that was decided about.
   */
  subject_tenant?: string;
  /**
   * Tenants that the caller is bound to; absent where it is bound to none.
   */
  caller_tenants?: string[];
  policy?: Policy;
  unsafe_allow_all?: true;
  request?: RecordedRequest;
  /**
   * The projected arguments, after masking, where `evidence.arguments` says so.
   */
  arguments?: {
    [k: string]: unknown;
  };
  /**
   * Paths that the mask of the policy removed before the record was made, never values.
   */
  erased?: string[];
  profile?: string;
  decision?: boolean;
  outcome?: Outcome;
  visible?: boolean;
  reason_code?: ReasonCode;
  constraints?: Constraints;
  /**
   * Types of the obligations.
   */
  obligations?: string[];
  /**
   * The rules and grants that decided.
   */
  rules?: string[];
  catalogue_digest?: Digest;
  /**
   * Why items are shown or withheld, each reason once.
   */
  grounds?: Ground[];
  shown?: RecordedItem[];
  withheld?: RecordedItem[];
  /**
   * What became of a policy, an approval or a call.
   */
  status?:
    | 'activated'
    | 'refused'
    | 'requested'
    | 'granted'
    | 'expired'
    | 'consumed'
    | 'executed'
    | 'failed'
    | 'cancelled'
    | 'abandoned';
  /**
   * Whose list it is, or who turned the caller away.
   */
  server?: string;
  surface?: string;
  /**
   * What did not prove the caller: `jwt` or `host`.
   */
  source?: string;
  occurred_at?: Time;
  /**
   * Label of an approval, no credential.
   */
  approval_ref?: string;
  /**
   * Who granted or refused.
   */
  approver?: string;
  expires_at?: Time;
  /**
   * How often the same came again within the time in which it is counted and not recorded.
   */
  repeats?: number;
  unreported?: Unreported;
  /**
   * Paths whose values were masked: by the PEP in a result, or by the mask of the policy in a record.
   */
  masked?: string[];
  /**
   * For operators: what happened, without values of requests.
   */
  detail?: string;
  bytes_dropped?: number;
  /**
   * What was asked to be removed from earlier records, without the values they were found by.
   */
  redaction?: {
    groups: ('arguments' | 'internals' | 'items' | 'request')[];
    by: ('subject' | 'tenant' | 'record' | 'before' | 'retention')[];
    /**
     * How many records it was about.
     */
    records?: number;
  };
}

/**
 * Who asked for what; arguments only as a keyed digest. A name that the mask of the policy left none of is `[masked]`.
 */
export interface RecordedRequest {
  subject: {
    id: string;
    actor_type?: ActorType;
    tenant?: string;
    groups?: string[];
    delegation?: string[];
  };
  action: string;
  resource?: {
    type: string;
    id: string;
    server?: string;
    definition_digest?: Digest;
  };
  phase?: 'discovery' | 'call';
  agent?: string;
  surface?: string;
  environment?: string;
  session?: string;
  arguments_digest?: KeyedDigest;
  request_id?: string | number;
  traceparent?: string;
}

export interface Ground {
  reason_code: ReasonCode;
  /**
   * The rules and grants that decided.
   */
  rules: string[];
}

export interface RecordedItem {
  type: string;
  id: string;
  definition_digest?: Digest;
  /**
   * Its place in `grounds`.
   */
  ground?: number;
}

/**
 * Outcomes that were not kept, and so are never reported.
 */
export interface Unreported {
  /**
   * The same wherever the same loss is told again.
   */
  id: string;
  /**
   * How many; at least so many where they were damaged.
   */
  count: number;
  /**
   * `full`: there was no room to keep them; `unwritable`: the disk failed; `damaged`: what was kept cannot be read; `refused`: the decision point does not take them.
   */
  cause: 'full' | 'unwritable' | 'damaged' | 'refused';
}

/**
 * What a PEP did with several decisions, in the order in which it was done.
 */
export interface OutcomeBatch {
  outcomes: OutcomeReport[];
  /**
   * Outcomes of which nothing else is known any more.
   */
  unreported?: Unreported[];
}

/**
 * What a PEP did with a decision.
 */
export interface OutcomeReport {
  evaluation_id: string;
  /**
   * `cancelled` never reached the capability; `abandoned` did, and may have had its effect.
   */
  status: 'executed' | 'failed' | 'refused' | 'cancelled' | 'abandoned';
  reason_code?: ReasonCode;
  /**
   * How often the same was asked for again and refused without a new decision.
   */
  repeats?: number;
  /**
   * Paths that were masked, never values.
   */
  masked?: Pointer[];
  occurred_at?: Time;
  /**
   * Tenant of the subject that was decided about, where it has one.
   */
  subject_tenant?: string;
}

/**
 * A capability (`tool:payments/transfer`), all of a server (`tool:payments/*`), or `*`.
 */
export type Pattern = string;

export type NumberOperand = number | Table;

export type StringOperand = string | Table;

export type Risk = 'low' | 'medium' | 'high' | 'critical';

/**
 * How a call is authorized behind the server.
 */
export type CredentialMode =
  'none' | 'service_account' | 'user_delegated' | 'agent_scoped' | 'workload_mapped';

/**
 * Only capabilities of these credential modes; one without a mode is of none.
 */
export type CredentialModes = CredentialMode[];

/**
 * Only capabilities from these sources; one without a source is from none.
 */
export type Sources = string[];

/**
 * The data roots that the policy library knows; other roots are the author's own.
 */
export interface PolicyData {
  grants?: Grant[];
  registry?: {
    [k: string]: Capability;
  };
  agents?: {
    [k: string]: Agent;
  };
  surfaces?: {
    [k: string]: Surface;
  };
  /**
   * What must be known of a caller before anything is looked at; without it every list is empty.
   */
  require_context?: ('user' | 'agent' | 'surface' | 'environment')[];
  environments?: {
    [k: string]: {
      credential_modes?: CredentialModes;
      sources?: Sources;
      risk_max?: Risk;
    };
  };
  mcp?: never;
  portcullis?: never;
  [k: string]: unknown;
}

export interface Grant {
  id?: string;
  to: To;
  on: Pattern;
  within?: Region;
  unless_within?: Region;
  require_approval?: RequireApproval;
  reason_code?: string;
  safe_message?: string;
}

/**
 * Whom the grant addresses; every member must hold.
 */
export interface To {
  group?: string;
  user?: string;
  actor_type?: 'human' | 'supervised_ai' | 'automation' | 'service_account';
  agent?: string;
  surface?: string;
  anyone?: true;
}

/**
 * Safe region: JSON Pointer to tests. Every pointer must point at something.
 */
export interface Region {
  [k: string]: Test;
}

/**
 * Tests that must all pass; a wrong type passes none.
 */
export interface Test {
  at_most?: NumberOperand;
  at_least?: NumberOperand;
  length_at_most?: NumberOperand;
  equals?: {
    [k: string]: unknown;
  };
  one_of?:
    | {
        [k: string]: unknown;
      }[]
    | Table;
  prefix?: StringOperand;
  path_under?: StringOperand;
}

/**
 * The caller's own entry of a data root, such as transfer_limits.
 */
export interface Table {
  data: string;
}

/**
 * The call needs an approval wherever `unless_within` does not hold; such a grant allows nothing by itself.
 */
export interface RequireApproval {
  by:
    | 'manager_of_requester'
    | {
        user: string;
      }
    | {
        group: string;
      };
  not?: 'requester';
  via?: ('task' | 'elicitation' | 'none')[];
  approvals?: number;
}

/**
 * What the owner vouches for.
 */
export interface Capability {
  environment: string;
  risk: Risk;
  source?: string;
  approved: boolean;
  credential_mode?: CredentialMode;
  data_classes?: string[];
  fields_by_class?: {
    [k: string]: Pointer[];
  };
  actor_required?: 'human' | 'supervised_ai' | 'automation' | 'service_account';
  /**
   * SHA-256 over RFC 8785 canonical JSON.
   */
  digest?: string;
  input_schema?: {
    [k: string]: unknown;
  };
  title?: string;
  owner?: string;
}

/**
 * An agent: the client ids that prove it, what it may do for others, and to whom it may hand on.
 */
export interface Agent {
  clients?: string[];
  may: Pattern[];
  credential_modes?: CredentialModes;
  sources?: Sources;
  risk_max?: Risk;
  delegates_to?: string[];
}

/**
 * Where a caller works from: the client ids that prove it, its risk ceiling, and the data class it keeps.
 */
export interface Surface {
  clients?: string[];
  credential_modes?: CredentialModes;
  sources?: Sources;
  risk_max?: Risk;
  keep?: string;
}

/**
 * What an entrypoint of a policy yields: this closed object, or plainly a boolean. Anything else denies.
 */
export interface PolicyResult {
  decision: Outcome;
  visible?: boolean;
  reason_code?: ReasonCode;
  safe_message?: string | null;
  constraints?: Constraints;
  obligations?: Obligation[];
  rules?: string[];
  errors?: unknown[];
}

/**
 * Which sealed members of which evidence records to remove.
 */
export interface RedactionRequest {
  /**
   * What a record must be; all that is named.
   */
  by: {
    /**
     * An id that stands anywhere in its sealed members.
     */
    subject?: string;
    tenant?: string;
    /**
     * Its index, or its evaluation id.
     */
    record?: string | number;
    before?: Time;
  };
  /**
   * Groups of members; absent: all.
   */
  only?: ('arguments' | 'internals' | 'items' | 'request')[];
}

/**
 * The decision request of the SEP's external decision profile; unknown members are ignored.
 */
export interface SepDecisionRequest {
  subject: {
    principal: string;
    actor_type?: ActorType;
    groups?: string[];
    tenant?: string;
    [k: string]: unknown;
  };
  capability: {
    type: string;
    name: string;
    [k: string]: unknown;
  };
  action: string;
  arguments?: {
    [k: string]: unknown;
  };
  environment?: {
    deployment?: string;
    risk?: string;
    tenant?: string;
    [k: string]: unknown;
  };
  approval?: {
    present?: boolean;
    [k: string]: unknown;
  };
  [k: string]: unknown;
}

/**
 * The decision response of the SEP's external decision profile.
 */
export interface SepDecisionResponse {
  decision: Outcome;
  constraints?: Constraints;
  reason_code?: ReasonCode;
  safe_message?: string;
}

export type Channel = 'task' | 'elicitation' | 'none';

/**
 * A static RBAC file (SEP): a complete policy by itself. Values that would open are not in it.
 */
export interface StaticRbac {
  version?: 1;
  /**
   * How odd states end; there is one way.
   */
  _settings?: {
    default_decision?: 'deny';
    client_claims_authoritative?: false;
    policy_error?: 'deny';
    unknown_capability?: 'deny';
  };
  /**
   * The same as `_settings` in another form of the draft.
   */
  defaults?: {
    missing_policy?: 'deny';
    policy_error?: 'deny';
    unknown_capability?: 'deny';
    client_claims_authoritative?: false;
  };
  /**
   * Methods of MCP; a method that is not named is handled as the method table says.
   */
  _methods?: {
    [k: string]: 'filter' | 'evaluate' | 'deny';
  };
  /**
   * Each applies to the group of its name.
   */
  roles: {
    [k: string]: RbacRole;
  };
  /**
   * Ours: who has a role besides the group of its name. `group:NAME` is a group, anything else a principal.
   */
  bindings?: {
    [k: string]: string[];
  };
}

/**
 * What its holders may do.
 */
export interface RbacRole {
  description?: string;
  grants: RbacGrant[];
}

/**
 * What is decided on some actions on one capability.
 */
export interface RbacGrant {
  /**
   * `type:name`, which is compared as it is; there are no patterns.
   */
  capability: string;
  /**
   * Ours: the server that owns the capability; absent is every server.
   */
  server?: string;
  actions: (
    | 'execute'
    | 'list'
    | 'read'
    | 'get'
    | 'subscribe'
    | 'complete'
    | 'create'
    | 'cancel'
    | 'update'
    | 'notify'
  )[];
  decision: Outcome;
  constraints?: RbacConstraints;
}

/**
 * Where a grant applies, and what has to hold then.
 */
export interface RbacConstraints {
  /**
   * Deployments in which the grant applies.
   */
  environment?: string | string[];
  actor_required?: 'human' | 'supervised_ai' | 'automation' | 'service_account';
  approval_required?: boolean;
  require_approval_via?: Channel;
  approval_via?: Channel;
}

/**
 * What a PEP must know of a PDP before it asks.
 */
export interface Status {
  ready: boolean;
  instance?: string;
  policy?: {
    revision: string;
    digest: Digest;
    activated_at?: Time;
    age_seconds?: number;
    unsafe_allow_all?: boolean;
  };
  arguments_projection?: Projection;
  obligations?: (
    | 'keep_fields'
    | 'mask_fields'
    | 'redact_patterns'
    | 'limit_result'
    | 'set_arguments'
    | 'cap_arguments'
    | 'step_up'
    | 'rate_limit'
    | 'notify'
    | 'log'
  )[];
  /**
   * Why it is not ready.
   */
  problem?: string;
  /**
   * How each export of the evidence stands; for callers with the scope `evidence`, of all tenants.
   */
  exports?: {
    name: string;
    type: string;
    /**
     * Nothing is decided while it has stopped or is too far behind.
     */
    required: boolean;
    /**
     * It sends nothing until the next start.
     */
    stopped: boolean;
    /**
     * Durable records that its receiver has not acknowledged.
     */
    lag_records: number;
    /**
     * Records that its receiver did not get and that are not sent again.
     */
    gap_records: number;
    /**
     * The newest gaps.
     */
    gaps: {
      first: number;
      last: number;
      /**
       * How many are missing between the two.
       */
      records: number;
      reason: string;
    }[];
    /**
     * What is wrong at present.
     */
    problem?: string;
  }[];
}

/**
 * Callers that a PEP turned away because nobody was proved; nothing that they sent is in it.
 */
export interface TurnedAwayReport {
  status: 'turned_away';
  reason_code: ReasonCode;
  /**
   * What did not prove the caller: a token of an issuer or of a wrapper, what the host found of it, or that it began the connection.
   */
  source: 'jwt' | 'token' | 'host' | 'connection';
  server: string;
  surface?: string;
  /**
   * How many more came for the same reason since the last report.
   */
  repeats?: number;
  occurred_at?: Time;
}
