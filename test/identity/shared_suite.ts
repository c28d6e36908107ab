/** What every identity source promises, whatever it reads. A new source joins with its cases. */
import { describe, expect, test } from '@jest/globals';
import { VALIDATORS } from '../../src/contract/validate.ts';
import type { IdentitySource, RequestExtra, TrustedContext } from '../../src/identity/types.ts';

/** Stands in requests where a secret or a value of the caller would; it must come out nowhere. */
export const CANARY = 'canary-7f3a';

export interface SourceCases {
  source: IdentitySource;
  /** What the source proves, whole. */
  proved: { what: string; extra: RequestExtra; context: TrustedContext }[];
  /** Where it proves nobody, with the reason that the log gets. */
  unproved: { what: string; source?: IdentitySource; extra: RequestExtra; reason: string }[];
}

export function describeSource(name: string, { source, proved, unproved }: SourceCases): void {
  describe(`identity source ${name}`, () => {
    test.each(proved)('proves $what', ({ extra, context }) => {
      const told: string[] = [];
      const found = source(extra, (reason) => told.push(reason));
      expect(found).toEqual(context);
      expect(told).toEqual([]);
      expect(source(extra)).toEqual(found);
      expectRequestMember(found!);
      expectFrozen(found);
    });

    test.each(proved)('names the evidence for $what', ({ extra }) => {
      const evidence = source(extra)?.subject.properties?.evidence ?? [];
      expect(evidence.map((each) => each.source)).toContain(name);
    });

    test.each(proved)('hears nothing that the client says of itself beside $what', (each) => {
      const said = { subject: { id: CANARY }, groups: [CANARY], clientInfo: { name: CANARY } };
      const extra = { ...each.extra, ...said, _meta: said, params: said, sessionId: CANARY };
      expect(source(extra)).toEqual(each.context);
    });

    test.each(unproved)('proves nobody for $what', ({ source: own = source, extra, reason }) => {
      const told: string[] = [];
      expect(own(extra, (each) => told.push(each))).toBeUndefined();
      expect(told).toEqual([reason]);
      expect(reason).not.toContain(CANARY);
      expect(own(extra)).toBeUndefined();
    });

    test.each(HOSTILE)('proves nobody for the request of a hostile host: %s', (_what, authInfo) => {
      expect(source({ authInfo })).toBeUndefined();
    });
  });
}

const HOSTILE: [string, unknown][] = [
  ['null', null],
  ['text', CANARY],
  ['a list', [CANARY]],
  ['a function', () => CANARY],
  ['an empty object', {}],
  ['a prototype that knows everything', Object.create(authInfoOf({ sub: CANARY }))],
  [
    'a getter that throws',
    {
      get clientId() {
        throw new Error(CANARY);
      },
    },
  ],
  [
    'a proxy that throws',
    new Proxy(
      {},
      {
        get() {
          throw new Error(CANARY);
        },
        getOwnPropertyDescriptor() {
          throw new Error(CANARY);
        },
      },
    ),
  ],
];

/** What a bearer check of the MCP SDK leaves on a request. */
export function authInfoOf(extra: object, members: object = {}) {
  return { token: `${CANARY}-token`, clientId: 'cid-1', scopes: ['mcp'], extra, ...members };
}

function expectRequestMember({ subject, ...circumstances }: TrustedContext): void {
  const request = {
    subject,
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'balance', properties: { server: 'payments' } },
    context: { profile: 'mcp/1', phase: 'call', ...circumstances },
  };
  expect(VALIDATORS.evaluation_request(request)).toEqual({ ok: true, value: request });
}

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.isFrozen(value)).toBe(true);
  for (const member of Object.values(value)) expectFrozen(member);
}
