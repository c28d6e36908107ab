/** Files of roles, read and activated as they are in force. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RBAC_FILES } from '../../../src/bundle/rbac_file.ts';
import { activateRbac } from '../../../src/decision/static_rbac/activation.ts';
import type { StaticRbacPolicy } from '../../../src/decision/static_rbac/policy.ts';
import type { PolicyInput } from '../../../src/decision/types.ts';
import { PortcullisError } from '../../../src/errors.ts';
import type { EvidenceLog } from '../../../src/evidence/types.ts';
import { METHODS } from '../../../src/pep/methods.ts';
import { evidenceOnDisk, sceneWith, type Scene } from '../../support/decisions.ts';
import { temporaryDirectory } from '../../support/evidence_log.ts';
import { DEFAULTS } from '../../support/defaults.ts';
import type { Ask } from './outcomes.ts';

const FOLDER = temporaryDirectory();

/** The path of a new file that holds `text`. */
export function fileOf(text: string | Uint8Array): string {
  const path = join(mkdtempSync(join(FOLDER, 'file-')), 'roles.yaml');
  writeFileSync(path, text);
  return path;
}

/** Keeps no record. */
const FORGETFUL: EvidenceLog = {
  append: () => Promise.resolve(0),
  status: () => ({ writable: true, size: 0 }),
  close: () => Promise.resolve(),
};

export async function policyAt(
  path: string,
  evidence: EvidenceLog = FORGETFUL,
): Promise<StaticRbacPolicy> {
  const file = await RBAC_FILES.read({ bundle: path, data: null }, DEFAULTS.policy);
  const clock = { now_ms: () => Date.UTC(2027, 0, 1, 12) };
  return activateRbac(file, { methods: METHODS, clock, evidence });
}

export function policyOf(yaml: string): Promise<StaticRbacPolicy> {
  return policyAt(fileOf(yaml));
}

/** What a file is refused with; its path is left out. */
export async function refusalOf(yaml: string | Uint8Array): Promise<string> {
  try {
    await policyAt(fileOf(yaml));
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    return `${error.code} ${error.message}`.replaceAll(/`\S*roles\.yaml`/g, 'FILE');
  }
  return 'taken';
}

/** A core that decides by the file at a path. */
export async function rbacScene(path: string): Promise<Scene> {
  const { evidence, read } = await evidenceOnDisk();
  return sceneWith(await policyAt(path, evidence), evidence, read);
}

/** A request of the SEP. */
export function sepRequest({ groups, actor_type, type, name, action, deployment }: Ask): object {
  return {
    subject: {
      principal: 'user:carol@example.com',
      groups,
      ...(actor_type && { actor_type }),
    },
    capability: { type, name },
    action,
    arguments: {},
    ...(deployment !== undefined && { environment: { deployment } }),
  };
}

/** What a policy sees of a call of `tool:NAME` and the like by members of groups. */
export function inputOf(
  capability: string,
  groups: unknown,
  changes: { method?: string; subject?: object; resource?: object; context?: object } = {},
): PolicyInput {
  const [type = '', id = ''] = capability.split(/:(.*)/s);
  const { method = USES[type] ?? 'tools/call', subject, resource, context } = changes;
  return {
    subject: { type: 'identity', id: 'user:carol@example.com', properties: { groups }, ...subject },
    action: { name: method },
    resource: { type, id, properties: { server: 'meters' }, ...resource },
    context: { phase: 'call', environment: { deployment: 'production' }, ...context },
  };
}

const USES: Readonly<Record<string, string>> = {
  tool: 'tools/call',
  resource: 'resources/read',
  prompt: 'prompts/get',
};
