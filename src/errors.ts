/**
 * The one error class. It is thrown where no decision was made; a deny is a value. Codes are stable
 * and listed in docs/errors.md, which a test compares with this table.
 */

/** Each code with what it means and what to do about it. */
export const ERRORS = {
  ARGUMENT_INVALID: {
    meaning: 'a command line argument is missing or wrong',
    remedy: 'see --help of that command',
  },
  BACKEND_ANSWER_INVALID: {
    meaning: 'a policy server of `policy.remote` answered, and not with a decision on the request',
    remedy:
      'see the message, and the log of that server; docs/backends.md says what it must answer',
  },
  BACKEND_UNREACHABLE: {
    meaning: 'a policy server of `policy.remote` did not answer in time, or not at all',
    remedy: 'start it, or correct `policy.remote`; until then everything is refused',
  },
  BUNDLE_INVALID: {
    meaning: 'a policy bundle cannot be read, or is not what its manifest says',
    remedy:
      'correct its path, or build it again with `portcullis build`; ' +
      'where a policy is active, it stays in force',
  },
  BUNDLE_REFUSED: {
    meaning: 'a bundle was read but failed a self-test, the nobody probe, or allows everything',
    remedy: 'see the message; where a policy is active, it stays in force',
  },
  CONFIGURATION_INVALID: {
    meaning: 'a setting is unknown, malformed or contradicts another',
    remedy: 'correct the named setting; docs/configuration.md lists them all',
  },
  DATA_INVALID: {
    meaning: 'policy data does not fit its schema or uses a reserved root',
    remedy: 'correct the named place; where a policy is active, its data stays in force',
  },
  DECISION_POINT_UNPROVED: {
    meaning: 'an answer did not carry the proof that the decision point made it for this request',
    remedy: 'check who listens on that address, and that both sides hold the same token',
  },
  DECISION_POINT_UNREACHABLE: {
    meaning: 'the decision point did not answer in time, or not with a decision',
    remedy: 'start it, or correct its address; until then every guarded call is refused',
  },
  ENGINE_ABORTED: {
    meaning: 'an evaluation ended without a result',
    remedy: 'the instance was replaced and the request denied; see the log for the input digest',
  },
  ENGINE_UNSUITED: {
    meaning: 'a compiled policy needs a builtin, an entrypoint or memory that is not here',
    remedy:
      'remove the builtin, name an entrypoint of the bundle, or raise ' +
      'policy.evaluation.memory_pages_max',
  },
  EVIDENCE_DAMAGED: {
    meaning: 'the evidence log holds a record that is not what was written',
    remedy: 'keep the file, restore it from a copy, and find out who changed it',
  },
  EVIDENCE_LOCKED: {
    meaning: 'another process writes to this evidence directory',
    remedy: 'stop it, or give this one a directory of its own',
  },
  EVIDENCE_UNWRITABLE: {
    meaning: 'a record could not be made durable, so its decision was not given',
    remedy: 'free or repair the disk and restart; nothing is answered without evidence',
  },
  EXPORT_UNUSABLE: {
    meaning: 'an export of the evidence cannot be opened, or its place is none in this log',
    remedy:
      'see the message; where its place does not fit, find out what was changed and restore it, ' +
      'or remove the file of the place, and the export begins at the first record again',
  },
  GUARD_MISUSED: {
    meaning: 'a server was guarded in a way that would leave a way round the guard',
    remedy: 'do what the message says; the server does not start',
  },
  INTERNAL: {
    meaning: 'something that cannot happen did',
    remedy: 'report it with the log line; the request was refused',
  },
  LISTEN_FAILED: {
    meaning: 'the address or socket cannot be listened on',
    remedy: 'stop what uses it or choose another with --listen or --socket',
  },
  OVERLOADED: {
    meaning: 'more requests are being decided than the service takes at a time',
    remedy: 'ask again after `Retry-After`, or raise pdp.requests_in_flight_max',
  },
  OUTCOMES_UNWRITABLE: {
    meaning: 'what was done with decisions cannot be kept until the decision point has recorded it',
    remedy:
      'free or repair the disk of guard.outcomes_directory, or start the decision point; until ' +
      'then calls are refused, unless guard.outcomes_required is false',
  },
  OUTCOME_REFUSED: {
    meaning: 'the decision point will never record the report of an outcome as it is',
    remedy: 'see the log of the decision point; it is told how many outcomes are missing',
  },
  POLICY_ABSENT: {
    meaning: 'no policy is active, or the active one is older than its maximum age',
    remedy: 'load a bundle; until then everything is refused',
  },
  POLICY_UNTRUSTED: {
    meaning: 'somebody else could write the bundle, its data, or a folder in which they lie',
    remedy: 'run the command in the message; where a policy is active, it stays in force',
  },
  RBAC_INVALID: {
    meaning: 'a file of roles cannot be read, is not strict YAML, or says what it may not say',
    remedy:
      'correct the named place; docs/static_rbac.md tells what a file may say; ' +
      'where a policy is active, it stays in force',
  },
  REQUEST_INVALID: {
    meaning: 'a message is not valid JSON or does not fit its schema',
    remedy: 'correct the member that the pointer names',
  },
  REQUEST_TOO_LARGE: {
    meaning: 'a message is larger than the limit',
    remedy: 'send less, or raise the named limit',
  },
  RULES_REFUSED: {
    meaning: 'a policy breaks the rule contract',
    remedy: 'see the listed places; each names what to write instead',
  },
  RUNTIME_UNSUITED: {
    meaning: 'this Node is older than the project needs',
    remedy: 'install the named version, or use the one that `npm ci` brings',
  },
  SIGNATURE_REFUSED: {
    meaning: 'a signed request was taken before, or was signed too long ago or in the future',
    remedy: 'sign each request anew, and set the clocks of both sides',
  },
  TESTS_FAILED: {
    meaning: 'a policy test failed, or OPA and the compiled policy disagree',
    remedy: 'see the listed tests',
  },
  TOOLCHAIN_ABSENT: {
    meaning: 'OPA was not found and could not be set up',
    remedy: 'put `opa` on PATH, set PORTCULLIS_OPA, or install Go',
  },
  UNAUTHENTICATED: {
    meaning: 'the caller of the decision point did not prove who it is, or lacks the scope',
    remedy: 'send the bearer token of the deployment, or use the socket',
  },
  UPSTREAM_FAILED: {
    meaning: 'the server cannot be started or reached, or it ended',
    remedy: 'see what it said on standard error; correct its command or URL, and start it again',
  },
  WIRE_INVALID: {
    meaning: 'a request to the decision point is wrong as HTTP: method, type, host or origin',
    remedy: 'POST application/json to a listed host, without an Origin',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

/** A stable code of the table. */
export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetail {
  /** JSON Pointer into the message or file, never a value of it. */
  pointer?: string;
  cause?: unknown;
}

/** Thrown when no decision was made. `message` is lower case and holds no untrusted text. */
export class PortcullisError extends Error {
  readonly code: ErrorCode;
  readonly pointer: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'PortcullisError';
    this.code = code;
    this.pointer = detail.pointer;
  }
}

/** What happened, to what, and in a second line what to do, for a person. */
export function explain({ code, message, pointer = '' }: PortcullisError): string {
  const setting = pointer.slice(1).replaceAll('/', '.');
  const isTold = message.includes(pointer) || message.includes(setting);
  const place = isTold ? '' : ` (at \`${pointer}\`)`;
  return `${message}${place}\n  ${ERRORS[code].remedy}`;
}
