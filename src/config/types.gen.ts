/* Generated from src/config/schema.json by scripts/generate_types.ts; do not edit. */

/**
 * Name of a claim, or a JSON Pointer (RFC 6901) into the claims.
 */
export type Claim = string;

/**
 * The settings, complete: given ones over defaults, paths absolute.
 */
export interface Configuration {
  /**
   * Folder for evidence, token, socket and keys.
   */
  state: string;
  /**
   * Name of this process among those of the same server; stands in each evidence record.
   */
  instance: string;
  /**
   * Most processes of one server that decide within themselves and find a folder of their own.
   */
  instances_max: number;
  /**
   * What is logged. Lines go to stderr: JSON, or text on a terminal.
   */
  log: {
    /**
     * Least important level that is written. Single decisions are logged at `debug`.
     */
    level: 'error' | 'warn' | 'info' | 'debug';
  };
  /**
   * The policy, for whoever decides: `portcullis serve`, or a guard with `decision_point.embedded`.
   */
  policy: {
    /**
     * What decides: `wasm` is a compiled bundle, `static_rbac` a file of roles, `opa` an OPA server, `authzen` any AuthZEN decision point and `sep` one that speaks the profile of the SEP (docs/backends.md). Settings of the others are not read.
     */
    backend: 'wasm' | 'static_rbac' | 'opa' | 'authzen' | 'sep';
    /**
     * For `static_rbac`: the YAML file of roles and grants (docs/static_rbac.md).
     */
    rbac_file: string | null;
    /**
     * Bundle of the policy: a `.tar.gz` or a folder.
     */
    bundle: string | null;
    /**
     * Data of the policy: a YAML or JSON file, or a folder of them. Each of its roots replaces the bundle's root of that name.
     */
    data: string | null;
    /**
     * Folder that holds a folder for each tenant, with its `bundle.tar.gz` or `bundle/`, and perhaps `data.yaml` or `data/`. Each request is then decided by the policy of its tenant, and denied where that has none.
     */
    tenants: string | null;
    /**
     * Most tenants that have a policy; a further one is denied. Each holds two instances of its policy in memory.
     */
    tenants_max: number;
    /**
     * Largest bundle as it lies on disk.
     */
    archive_bytes_max: number;
    /**
     * Most that a bundle unpacks to, and largest sum of the files of a folder.
     */
    unpacked_bytes_max: number;
    /**
     * Most files and folders in a bundle or a folder.
     */
    files_max: number;
    /**
     * A policy that could not be read again for so long denies everything; 0 is no limit.
     */
    age_seconds_max: number;
    /**
     * How often bundle and data are looked at for changes.
     */
    reload_interval_ms: number;
    /**
     * Accepts a bundle that allows everything, which its manifest must ask for as well. It is stamped on each record.
     */
    unsafe_allow_all: boolean;
    /**
     * The policy server, for the backends that ask one.
     */
    remote: {
      /**
       * Address of the policy server; `http` on this machine only.
       */
      url: string | null;
      /**
       * Unix socket of the policy server.
       */
      socket: string | null;
      /**
       * What is asked for a decision. `opa`: the rule. `authzen`: the path of its evaluation endpoint; without it the metadata is read. `sep`: the path of its decisions; without it `v1/decision` below its address.
       */
      path: string | null;
      /**
       * What is asked for a list; without it each item is asked for. `opa`: the rule of the visible positions. `authzen`: the path of its evaluations endpoint.
       */
      discovery_path: string | null;
      /**
       * Arguments that the policy server is sent: a capability, `type:server/*` or `*`, and a JSON Pointer into its arguments; without one they go whole.
       */
      arguments: string[];
      /**
       * `authzen`: the member of `subject.properties` in which the policy server looks for groups.
       */
      roles_member: string;
      /**
       * `authzen`: most items that are asked for in one request.
       */
      batch_items_max: number;
      /**
       * File that holds the bearer token for the policy server (mode 600).
       */
      token_file: string | null;
      /**
       * Certificates, as PEM, of which one must have signed that of the policy server; without it, those of Node.
       */
      ca_file: string | null;
      /**
       * Certificate, as PEM, that is shown to the policy server.
       */
      cert_file: string | null;
      /**
       * Its private key, as PEM (mode 600).
       */
      key_file: string | null;
      /**
       * Longest wait for one answer of the policy server; a decision can take two.
       */
      timeout_ms: number;
      /**
       * Largest answer of the policy server that is read.
       */
      response_bytes_max: number;
      /**
       * Most connections to the policy server; what comes beyond them waits.
       */
      connections_max: number;
      /**
       * How often the policy server is looked at: whether it decides, and by which policy.
       */
      poll_interval_ms: number;
      /**
       * Where the policy server gave no sound answer to a look for so long, there is no policy.
       */
      silence_ms_max: number;
    };
    /**
     * Limits of one evaluation.
     */
    evaluation: {
      /**
       * Largest input of the policy.
       */
      input_bytes_max: number;
      /**
       * A policy instance is replaced after so many evaluations.
       */
      evaluations_per_instance_max: number;
      /**
       * Largest memory of a policy instance, in pages of 64 KiB; two instances are held.
       */
      memory_pages_max: number;
    };
  };
  /**
   * The decision service of `portcullis serve`.
   */
  pdp: {
    /**
     * Address on which it listens, with IPv6 in brackets; null is no TCP.
     */
    listen: string | null;
    /**
     * Unix socket on which it listens; null is none. Its folder is for its owner only.
     */
    socket: string | null;
    /**
     * Values of `Host` that are served beside the loopback names.
     */
    hosts: string[];
    /**
     * What it keeps of the bearer tokens that it takes over TCP; made where absent, of `decision_point.token_file`.
     */
    token_file: string;
    /**
     * TLS for `pdp.listen`. The files are read again when they change.
     */
    tls: {
      /**
       * Certificate of the service with its chain, as PEM; null is no TLS.
       */
      cert_file: string | null;
      /**
       * Its private key, as PEM, for its owner only.
       */
      key_file: string | null;
      /**
       * Authorities that sign the certificates of callers, as PEM; null: callers have tokens only.
       */
      client_ca_file: string | null;
      /**
       * Which certificate is which caller, and what they may do.
       */
      callers_file: string | null;
    };
    /**
     * A signed request whose time is further from the clock here is refused.
     */
    signature_age_seconds_max: number;
    /**
     * Signed requests of that age that are remembered for each token, so that none is taken twice; over it the oldest are forgotten and what was signed at their time is refused.
     */
    signed_requests_max: number;
    /**
     * Largest head of a request: its path, and the names and values of its headers.
     */
    header_bytes_max: number;
    /**
     * Largest body of a request, and largest request within a process; a catalogue of 10,000 items takes some 4 MiB.
     */
    body_bytes_max: number;
    /**
     * Most evaluations in one request.
     */
    batch_items_max: number;
    /**
     * Most that the evaluations of one request may come to, what they share counted for each of them.
     */
    batch_bytes_max: number;
    /**
     * Most connections at a time; one more is dropped.
     */
    connections_max: number;
    /**
     * Most requests that read evidence at a time; one more is answered 503 with `Retry-After`.
     */
    evidence_requests_in_flight_max: number;
    /**
     * Most records of a page.
     */
    evidence_page_records_max: number;
    /**
     * Largest page of records, which holds one record of any size.
     */
    evidence_page_bytes_max: number;
    /**
     * Longest that records are looked for; an index that is made anew goes on meanwhile.
     */
    evidence_timeout_ms: number;
    /**
     * Most requests that are decided at a time; one more is answered 503 with `Retry-After`.
     */
    requests_in_flight_max: number;
    /**
     * Time in which a request must have arrived whole.
     */
    request_timeout_ms: number;
    /**
     * A connection on which nothing moves for so long is closed: between two requests, or while its answer is made or not taken.
     */
    idle_timeout_ms: number;
    /**
     * Time that accepted requests get to finish when it stops.
     */
    drain_timeout_ms: number;
  };
  /**
   * The evidence log. A decision that cannot be recorded is not given.
   */
  evidence: {
    /**
     * Folder of the log; it has one writer.
     */
    directory: string;
    /**
     * Name of the log in its checkpoints and keys; best an address without its scheme, such as the one under which the log is served.
     */
    origin: string;
    /**
     * File of the private keys that sign checkpoints, one a line; made with a new one where there is none.
     */
    key_file: string;
    /**
     * Index by which records are found; made of the log where there is none. Best outside of its folder.
     */
    index_file: string;
    /**
     * Longest that a record is in no signed checkpoint.
     */
    checkpoint_interval_ms: number;
    /**
     * What evidence keeps of the arguments of a call: their keyed digest alone, or also those that the policy needs, masked as it says.
     */
    arguments: 'digest' | 'recorded';
    /**
     * Whether a start reads all records to prove that they are those that were signed, and not only those since the last full tiles.
     */
    prove_all_records: boolean;
    /**
     * Longest that a flush waits for more records, where the disk is slow.
     */
    linger_us_max: number;
    /**
     * Largest file of the log.
     */
    segment_bytes_max: number;
    /**
     * Most records that wait for the disk; more are refused.
     */
    queue_records_max: number;
    /**
     * Largest record, with the members that it seals.
     */
    record_bytes_max: number;
    /**
     * Where records are sent to, beside the log (docs/exports.md). In the variable the list is written as JSON.
     */
    exports: Export[];
    /**
     * Most outcomes that are remembered, so that one that a guard sends again is no second record; a start reads as many of the last records.
     */
    outcome_memory_records_max: number;
    /**
     * How long records keep the members that they seal, to the day; then these are removed for good and the records stay proved. Null is for ever.
     */
    disclosures_kept_days: number | null;
  };
  /**
   * Where a guard has its decisions made: exactly one of `socket`, `url` and `embedded`.
   */
  decision_point: {
    /**
     * Unix socket of the decision service.
     */
    socket: string | null;
    /**
     * Address of the decision service.
     */
    url: string | null;
    /**
     * File of the bearer token for `decision_point.url`; `portcullis serve` makes it where it has no hashes yet.
     */
    token_file: string;
    /**
     * Authorities that vouch for an `https:` URL, as PEM; null: those of the system.
     */
    ca_file: string | null;
    /**
     * Certificate by which the guard proves itself there, in the place of a token.
     */
    cert_file: string | null;
    /**
     * Its private key, as PEM.
     */
    key_file: string | null;
    /**
     * Decides within the process of the server, by `policy`.
     */
    embedded: boolean;
    /**
     * Longest wait for an answer; then the request is refused.
     */
    timeout_ms: number;
    /**
     * Largest answer that is read; the one to a list of 10,000 items takes some 4 MiB.
     */
    answer_bytes_max: number;
    /**
     * Most connections to the decision service; what comes beyond them waits.
     */
    connections_max: number;
    /**
     * How often a changed policy is asked for.
     */
    watch_interval_ms: number;
  };
  /**
   * The guard within an MCP server.
   */
  guard: {
    /**
     * Name of the server in capability names, such as `payments` in `tool:payments/transfer`.
     */
    server: string;
    /**
     * Where the server runs.
     */
    environment: {
      /**
       * Deployment, such as `production`.
       */
      deployment: string | null;
      /**
       * Risk class of the environment.
       */
      risk: string | null;
    };
    /**
     * Surface on which the agent is used, such as `ide`.
     */
    surface: string | null;
    /**
     * Who uses a server on stdio, as its launcher configures it.
     */
    subject: {
      /**
       * Principal, such as `user:alice@example.com`; null is the local user of the operating system.
       */
      id: string | null;
      /**
       * What kind of actor it is.
       */
      actor_type: 'human' | 'supervised_ai' | 'automation' | 'service_account' | null;
      /**
       * Groups of the subject.
       */
      groups: string[];
      /**
       * Tenant of the subject.
       */
      tenant: string | null;
    };
    /**
     * The agent for which a server on stdio is started.
     */
    agent: {
      /**
       * Client id of the agent.
       */
      id: string | null;
    };
    /**
     * Which claim becomes which attribute, over HTTP: of the host's own authentication, or of a token that is verified here. A claim is a name or a JSON Pointer.
     */
    identity: {
      /**
       * Who the user is. `email` counts only where `email_verified` is true.
       */
      subject_claim: string;
      /**
       * Stands before the claim, so that users and others never share an id.
       */
      subject_prefix: string;
      /**
       * Array of text, or one text that is split at spaces.
       */
      groups: string | null;
      /**
       * Tenant; where it is mapped, a user without one is nobody.
       */
      tenant: string | null;
      /**
       * Claim of the actor type; a value that means none proves no actor type.
       */
      actor_type: string | null;
      /**
       * How far the issuer's clock may be ahead: a login (`auth_time`) further in the future proves nobody, nor does a token by its `nbf` or `iat`.
       */
      clock_skew_seconds_max: number;
      /**
       * Values of the claim `actor_type`, each with what it means, as `value=type`; empty: the value is the type.
       */
      actor_types: string[];
      /**
       * Clients that are always one type of actor, as `client=type`. A claim that says otherwise proves nobody.
       */
      client_actor_types: string[];
      /**
       * Prefixes for the subjects of each issuer, as `issuer=prefix`, where there are several; then a subject of any other issuer is nobody.
       */
      issuer_prefixes: string[];
      /**
       * Tokens that are verified here: JWT access tokens (RFC 9068) as bearer tokens.
       */
      jwt: {
        /**
         * Issuer of the tokens, exactly as `iss` says it; null: no token is verified here.
         */
        issuer: string | null;
        /**
         * What `aud` must name; null is `guard.identity.resource.url` (RFC 8707).
         */
        audience: string | null;
        /**
         * Where the keys of the issuer are: https, or http on loopback. No redirect is followed.
         */
        jwks_url: string | null;
        /**
         * File of the keys of the issuer, in place of the URL; read again where it changes.
         */
        jwks_file: string | null;
        /**
         * Algorithms by which tokens may be signed. There is none with a shared key.
         */
        algorithms: (
          | 'RS256'
          | 'RS384'
          | 'RS512'
          | 'PS256'
          | 'PS384'
          | 'PS512'
          | 'ES256'
          | 'ES384'
          | 'ES512'
          | 'Ed25519'
          | 'EdDSA'
        )[];
        /**
         * Values that `typ` may have; `JWT` for issuers that do not follow RFC 9068.
         */
        types: string[];
        /**
         * Claims that must be there, beside `iss`, `aud` and `exp`; with `cnf` each token must be bound to a key.
         */
        claims_required: Claim[];
        /**
         * The claim that names the client; null is `client_id`, else `azp`.
         */
        client_claim: string | null;
        /**
         * File of revoked tokens, `{"revoked": ["<jti>"]}`; read again where it changes. While it cannot be used, nobody is proved.
         */
        revoked_file: string | null;
        /**
         * Largest file of revoked tokens.
         */
        revoked_bytes_max: number;
        /**
         * Largest token; Node takes some 16 KiB of headers unless told otherwise.
         */
        token_bytes_max: number;
        /**
         * Longest wait for the keys.
         */
        jwks_timeout_ms: number;
        /**
         * Largest set of keys.
         */
        jwks_bytes_max: number;
        /**
         * Longest that keys are used before they are fetched again; less where `Cache-Control` says so.
         */
        jwks_fresh_seconds_max: number;
        /**
         * Longest that keys are used where they cannot be fetched again; then nobody is proved.
         */
        jwks_age_seconds_max: number;
        /**
         * Least time between two fetches, however many tokens name a key that is not known.
         */
        jwks_cooldown_ms: number;
      };
      /**
       * What the endpoint tells clients of itself, as an OAuth resource.
       */
      resource: {
        /**
         * Canonical URL of the MCP endpoint, by which clients ask for tokens (RFC 8707) and find its metadata (RFC 9728).
         */
        url: string | null;
        /**
         * Issuers that the metadata names; empty is `guard.identity.jwt.issuer`.
         */
        authorization_servers: string[];
        /**
         * Scopes that the metadata names.
         */
        scopes: string[];
        /**
         * Scopes that each token must have; without them the answer is 403 `insufficient_scope`.
         */
        scopes_required: string[];
        /**
         * Scopes that a client is told to ask for where policy demands a stronger login.
         */
        step_up_scopes: string[];
      };
    };
    /**
     * Refused tool calls answer with a JSON-RPC error, not with a result.
     */
    denials_as_errors: boolean;
    /**
     * The decision point also writes the audit events of the draft.
     */
    audit_events: boolean;
    /**
     * Folder in which a guard keeps what was done with decisions of a decision service until that has recorded it; each process has a numbered one inside.
     */
    outcomes_directory: string;
    /**
     * Most that is kept there by one process; when seven eighths are used, calls are refused.
     */
    outcomes_spool_bytes_max: number;
    /**
     * Whether calls are refused while it is known that their outcomes cannot be kept; otherwise they are counted, and their number is reported.
     */
    outcomes_required: boolean;
    /**
     * Longest between two attempts to deliver outcomes.
     */
    outcomes_retry_ms_max: number;
    /**
     * How long a guard that stops tries to deliver outcomes; the others stay for the next start.
     */
    outcomes_drain_timeout_ms: number;
    /**
     * Key for the digests of arguments and masked values, and for the states between the rounds of a request; guards of one server share it. Made where absent.
     */
    digest_key_file: string;
    /**
     * Most tenants whose policy the guard watches at a time; the one that was not asked for longest makes room, and its clients hear of no change until they ask again.
     */
    tenants_max: number;
    /**
     * Most tools that the server may have; with more of them nothing is answered.
     */
    catalogue_items_max: number;
    /**
     * Longest wait for one page of the server's own list.
     */
    catalogue_timeout_ms: number;
    /**
     * Largest arguments of a call; `input_bytes_max` of the policy must hold more.
     */
    arguments_bytes_max: number;
    /**
     * Largest result that is masked; a larger one is withheld.
     */
    result_bytes_max: number;
    /**
     * Most unanswered requests of one connection.
     */
    requests_in_flight_max: number;
    /**
     * How long a cancelled request counts as unanswered, where the server says nothing about it.
     */
    cancelled_timeout_ms: number;
    /**
     * Most resources that one client may subscribe to; the oldest makes room.
     */
    subscriptions_max: number;
    /**
     * How long the refusal of a use is given again, without a new decision, to who asks for the very same; 0 is never.
     */
    refusal_memory_ms: number;
    /**
     * Most refusals that are remembered at a time; the oldest makes room.
     */
    refusals_max: number;
    /**
     * How long callers that are turned away for one reason are counted, before evidence has their number; the first is told at once.
     */
    turned_away_interval_ms: number;
    /**
     * Most tasks that are remembered at a time, each with the arguments of its call; a call that would make one more is refused.
     */
    tasks_max: number;
    /**
     * Most of them that belong to one principal.
     */
    tasks_per_principal_max: number;
    /**
     * Longest that a task is remembered, even if the server keeps it for longer.
     */
    task_ttl_ms_max: number;
    /**
     * Longest that a client may keep a filtered list.
     */
    list_ttl_ms_max: number;
    /**
     * Longest that a client may take to answer what a server asks before it has a result.
     */
    request_state_ttl_seconds: number;
    /**
     * The guard of a server over Streamable HTTP.
     */
    http: {
      /**
       * Largest body of a request.
       */
      body_bytes_max: number;
      /**
       * Most sessions at a time.
       */
      sessions_max: number;
      /**
       * A session that was not used for so long may be closed for another.
       */
      session_idle_ms: number;
    };
  };
  /**
   * OPA, as the commands on a policy run it.
   */
  toolchain: {
    /**
     * Longest run of OPA.
     */
    run_timeout_ms: number;
    /**
     * Longest time that Go gets to build OPA, once.
     */
    setup_timeout_ms: number;
    /**
     * Most that a run prints.
     */
    output_bytes_max: number;
  };
  /**
   * The guard before a server that is started or reached by `portcullis wrap`.
   */
  wrap: {
    /**
     * URL of a server over Streamable HTTP; null: the server is a command.
     */
    upstream: string | null;
    /**
     * Headers by which the wrapper proves itself to the server, each with the variable that holds its value. The client's own token is never passed on.
     */
    upstream_headers: string[];
    /**
     * Address for clients of a server over HTTP; port 0 takes a free one.
     */
    listen: string;
    /**
     * Further values of `Host`, with the port, that clients reach the wrapper by, such as behind a proxy.
     */
    hosts: string[];
    /**
     * Bearer tokens of clients over HTTP; made where absent. Whoever holds one acts as `guard.subject`.
     */
    token_file: string;
    /**
     * Names of variables that the server is given, beside `PATH`, `HOME` and the like.
     */
    env: string[];
    /**
     * Largest message, either way; a larger one is refused and not kept.
     */
    message_bytes_max: number;
    /**
     * How long answers may take that are awaited when the host has ended its input.
     */
    drain_timeout_ms: number;
    /**
     * How long the server may take to end after the end of its input, and again after SIGTERM; then it is killed.
     */
    stop_grace_ms: number;
  };
}

/**
 * Where records are sent to.
 */
export interface Export {
  /**
   * Its name in messages, and of the file that keeps how far it came; no two have one.
   */
  name: string;
  /**
   * What the receiver takes: the decision log of OPA servers, OpenTelemetry logs over OTLP/HTTP, or lines of a file.
   */
  type: 'opa_decision_log' | 'otel_logs' | 'jsonl';
  /**
   * `opa_decision_log`, `otel_logs`: address of the receiver, without `/logs` or `/v1/logs`; `http` on this machine only.
   */
  url: string | null;
  /**
   * `opa_decision_log`: what follows `/logs/`, as `partition_name` of OPA.
   */
  partition: string | null;
  /**
   * File that holds the bearer token for the receiver (mode 600).
   */
  token_file: string | null;
  /**
   * File of headers for the receiver, such as an API key, `Name: value` a line (mode 600).
   */
  headers_file: string | null;
  /**
   * Certificates, as PEM, of which one must have signed that of the receiver; without it, those of Node.
   */
  ca_file: string | null;
  /**
   * `jsonl`: the file; without it `<state>/exports/<name>.jsonl`. It has one writer.
   */
  path: string | null;
  /**
   * `jsonl`: a file that has reached so much is followed by another.
   */
  file_bytes_max: number;
  /**
   * `jsonl`: files that are kept; then the oldest is written over.
   */
  files_max: number;
  /**
   * Whether nothing is decided while it has stopped or is too far behind.
   */
  required: boolean;
  /**
   * How far behind the log a required one may be.
   */
  lag_records_max: number;
  /**
   * How long a record waits for others that are sent with it.
   */
  interval_ms: number;
  /**
   * Most records that are sent together.
   */
  batch_records_max: number;
  /**
   * Largest batch before it is compressed; a larger record goes alone.
   */
  batch_bytes_max: number;
  /**
   * Longest wait for one answer of the receiver, and for the last records when the process ends.
   */
  timeout_ms: number;
  /**
   * How long after a failure a batch is sent again; twice as long after each further one.
   */
  retry_interval_ms: number;
  /**
   * Longest such wait; each is shortened by up to half, at random.
   */
  retry_interval_ms_max: number;
}
