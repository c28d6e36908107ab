/** A batch answers as its entries do one by one, and a list as each item's own evaluation. */
import { expect, test } from '@jest/globals';
import { layPolicyData, readBundle } from '../../src/bundle/bundle.ts';
import { digestOf } from '../../src/contract/digest.ts';
import { OBLIGATION_TYPES } from '../../src/contract/obligations.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { buildPolicy } from '../../src/toolchain/build.ts';
import { CALLER, sceneOf, type Scene } from '../support/decisions.ts';
import { describeWithOpa, opa, policyOf } from '../support/toolchain.ts';
import { caseFor, type Case } from './generate/policy.ts';
import { asDiscovery, asList } from './generate/requests.ts';
import type { Request } from './model.ts';
import { filesOf } from './render.ts';
import { RUNS, SEED } from './seeds.ts';

const POLICIES = Math.ceil(RUNS / 10);
const TIMEOUT_MS = 60_000 + POLICIES * 30_000;

interface Told {
  decision: boolean;
  context: { outcome: string; visible: boolean; evaluation_id?: string };
}

describeWithOpa('the decision core over generated policies', () => {
  test(
    `a batch is as its entries, a list as its items (${POLICIES} policies from seed ${SEED})`,
    async () => {
      let allowed = 0;
      for (let seed = SEED; seed < SEED + POLICIES; seed += 1) {
        const one = caseFor(seed);
        const scene = await sceneFor(one);
        const requests = requestsOf(one, scene);
        const singles = await Promise.all(requests.map((request) => single(scene, request)));
        expect({ seed, told: await batch(scene, requests) }).toEqual({ seed, told: singles });
        for (const request of requests.slice(0, 6)) await expectListed(scene, request, seed);
        allowed += singles.filter(({ decision }) => decision).length;
      }
      expect(allowed).toBeGreaterThan(POLICIES);
    },
    TIMEOUT_MS,
  );
});

/** As a service would have it: built, packed, read, activated. */
async function sceneFor({ policy }: Case): Promise<Scene> {
  const { files } = await buildPolicy(opa, policyOf(filesOf(policy)));
  return sceneOf(layPolicyData(readBundle(files), undefined));
}

/** Those of a PEP that follows the projection and fulfils every duty; an approval is a claim. */
function requestsOf({ requests }: Case, { policy }: Scene): Request[] {
  return requests
    .filter(({ resource, action }) => resource && action.name === 'tools/call')
    .map(({ context: { approval: _, ...context }, ...request }) => ({
      ...request,
      context: {
        ...context,
        pep: { obligations: [...OBLIGATION_TYPES] },
        ...(context.phase === 'call' && { arguments_projection: policy.projection.digest }),
      },
    }))
    .filter((request) => VALIDATORS.evaluation_request(request).ok);
}

async function single({ core }: Scene, request: Request): Promise<Told> {
  const { body } = await core.evaluation(request, CALLER);
  const { decision, context } = body as Told;
  const { evaluation_id: _, ...rest } = context;
  return { decision, context: rest };
}

async function batch({ core }: Scene, requests: readonly Request[]): Promise<Told[]> {
  const { body } = await core.evaluations({ evaluations: requests }, CALLER);
  return (body as { evaluations: Told[] }).evaluations;
}

async function expectListed(scene: Scene, request: Request, seed: number): Promise<void> {
  const { resources = [], ...rest } = asList(request);
  const { arguments_projection: _, ...context } = rest.context;
  const shared = { ...rest, context };
  const list = {
    ...shared,
    evaluations: resources.map((resource) => ({ resource })),
    options: { portcullis: { discovery: { catalogue_digest: digestOf('a catalogue') } } },
  };
  const { body } = await scene.core.evaluations(list, CALLER);
  const listed = (body as { evaluations: Told[] }).evaluations.map(({ decision }) => decision);
  const items = resources.map((resource) => single(scene, { ...asDiscovery(shared), resource }));
  const visible = (await Promise.all(items)).map((told) => told.context.visible);
  expect({ seed, listed }).toEqual({ seed, listed: visible });
}
