/** What a protected resource says of itself: metadata (RFC 9728) and challenges (RFC 6750). */

/** The settings `guard.identity.resource`, complete. */
export interface ResourceSettings {
  /** Canonical URL of the MCP endpoint (RFC 8707, section 2). */
  url: string;
  /** Issuers of tokens for it. */
  authorization_servers: readonly string[];
  /** All scopes that a client may ask for. */
  scopes: readonly string[];
  /** Scopes that each token must have. */
  scopes_required: readonly string[];
  /** Scopes that a client asks for to log its user in anew, more strongly. */
  step_up_scopes: readonly string[];
}

/** Why a request is refused, in the parameters that a challenge can have. */
export interface Challenge {
  error?: 'invalid_token' | 'insufficient_scope' | undefined;
  scopes?: readonly string[];
  /** How the user must log in (RFC 9470, section 3). */
  acr?: string | undefined;
}

export class ProtectedResource {
  readonly settings: ResourceSettings;
  readonly metadata_url: string;
  /** Path of the metadata; a request for it needs no token. */
  readonly metadata_path: string;

  constructor(settings: ResourceSettings) {
    this.settings = settings;
    const url = new URL(settings.url);
    this.metadata_path = `${WELL_KNOWN}${url.pathname === '/' ? '' : url.pathname}`;
    this.metadata_url = `${url.origin}${this.metadata_path}${url.search}`;
  }

  /** RFC 9728, section 2. */
  metadata(): object {
    const { url, authorization_servers, scopes } = this.settings;
    return {
      resource: url,
      authorization_servers,
      bearer_methods_supported: ['header'],
      ...(scopes.length > 0 && { scopes_supported: scopes }),
    };
  }

  /** The value of `WWW-Authenticate` (RFC 6750, section 3; RFC 9728, section 5.1). */
  challenge({ error, scopes = this.settings.scopes_required, acr }: Challenge = {}): string {
    const scope = [...new Set(scopes)].filter((each) => SCOPE_TOKEN.test(each)).join(' ');
    const parameters = [
      ...(error === undefined ? [] : [`error="${error}"`]),
      ...(scope === '' ? [] : [`scope="${scope}"`]),
      ...(acr === undefined || !QUOTABLE.test(acr) ? [] : [`acr_values="${acr}"`]),
      `resource_metadata="${this.metadata_url}"`,
    ];
    return `Bearer ${parameters.join(', ')}`;
  }

  /**
   * The challenge for a stronger login. It names all scopes of the operation: those that the token
   * has and that are known here, and those that stand for the step (MCP, authorization, step-up).
   */
  stepUp(held: readonly string[], acr: string | undefined): string {
    const { scopes, scopes_required, step_up_scopes } = this.settings;
    const kept = held.filter((scope) => scopes.includes(scope));
    const wanted = [...scopes_required, ...kept, ...step_up_scopes];
    return this.challenge({ error: 'insufficient_scope', scopes: wanted, acr });
  }
}

/** RFC 9728, section 3: stands between the host and the path of the resource. */
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** RFC 6749, section 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** What stands between quotes without an escape (RFC 9110, section 5.6.4). */
const QUOTABLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;
