/** The limits of `policy`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleLimits } from '../../../src/bundle/files.ts';
import { sizeMemory } from '../../../src/engine/memory.ts';
import type { LoggedLine } from '../../support/evidence_log.ts';
import { recordingLogger } from '../../support/evidence_log.ts';
import { bundleOf, Scene } from '../../support/bundle_scene.ts';
import { TenantScene } from '../../support/tenant_scene.ts';
import { engineOf, wasmOf } from '../../support/policies.ts';
import { around, outcomeOf, type Probe } from './probe.ts';

const ECHO = 'package echo\n\ntext := input.text\n';
const ENTRYPOINT = 'echo/text';
const FRAME_BYTES = '{"text":""}'.length;

export function inputBytes(): Promise<Probe> {
  return around(64, async (amount, input_bytes_max) => {
    const engine = await engineOf(ECHO, [ENTRYPOINT], { limits: { input_bytes_max } });
    const text = 'x'.repeat(amount - FRAME_BYTES);
    return outcomeOf(() => engine.evaluate(ENTRYPOINT, JSON.stringify({ text })));
  });
}

export function evaluationsPerInstance(): Promise<Probe> {
  return around(3, async (amount, evaluations_per_instance_max) => {
    const lines: LoggedLine[] = [];
    const limits = { evaluations_per_instance_max };
    const engine = await engineOf(ECHO, [ENTRYPOINT], { limits, log: recordingLogger(lines) });
    for (let i = 0; i < amount; i += 1) engine.evaluate(ENTRYPOINT, '{"text":"x"}');
    const replaced = lines.filter(({ message }) => message === 'an instance was replaced');
    return replaced.length > 0 ? 'replaced' : 'kept';
  });
}

/** Here the policy is the amount, and what it needs is compared with limits about it. */
export async function memoryPages(): Promise<Probe> {
  const need = sizeMemory(await wasmOf(ECHO, ENTRYPOINT), 65_536).initial;
  const load = (memory_pages_max: number): Promise<string> =>
    outcomeOf(() => engineOf(ECHO, [ENTRYPOINT], { limits: { memory_pages_max } }));
  return { below: await load(need + 1), at: await load(need), above: await load(need - 1) };
}

/** What the limits of reading do to a bundle of which each is the amount. */
async function read(limits: Partial<BundleLimits>, make: (scene: Scene) => void): Promise<string> {
  const scene = new Scene();
  make(scene);
  return outcomeOf(() => scene.open(limits));
}

export function archiveBytes(): Promise<Probe> {
  const size_bytes = bundleOf({ v: 1 }).length;
  return around(size_bytes + 10, (amount, archive_bytes_max) =>
    // What follows the archive is no part of it, but lies on the disk.
    read({ archive_bytes_max }, (scene) => {
      writeFileSync(
        scene.bundle,
        Buffer.concat([bundleOf({ v: 1 }), Buffer.alloc(amount - size_bytes)]),
      );
    }),
  );
}

/** The folder of a bundle: its module, and data that fill it up. */
export function unpackedBytes(): Promise<Probe> {
  return around(100, (amount, unpacked_bytes_max) =>
    read({ unpacked_bytes_max }, (scene) => {
      scene.bundle = join(scene.folder, 'bundle');
      mkdirSync(scene.bundle);
      writeFileSync(join(scene.bundle, 'policy.wasm'), 'module');
      writeFileSync(join(scene.bundle, 'data.json'), '{}'.padEnd(amount - 'module'.length));
    }),
  );
}

export function files(): Promise<Probe> {
  return around(3, (amount, files_max) =>
    read({ files_max }, (scene) => {
      scene.bundle = join(scene.folder, 'bundle');
      mkdirSync(scene.bundle);
      writeFileSync(join(scene.bundle, 'policy.wasm'), 'module');
      for (let i = 1; i < amount; i += 1) writeFileSync(join(scene.bundle, `${i}.rego`), '');
    }),
  );
}

/** Whether the last of so many tenants has a policy. */
export function tenants(): Promise<Probe> {
  return around(3, async (amount, tenants_max) => {
    const scene = new TenantScene();
    for (let i = 1; i <= amount; i += 1) scene.put(`t${i}`, { v: i });
    await scene.open({ tenants_max });
    return outcomeOf(() => scene.tenants.current(`t${amount}`));
  });
}

/** A bundle that turned bad, looked at so many milliseconds later. */
export function age(): Promise<Probe> {
  return around(60_000, async (amount, limit) => {
    const scene = new Scene();
    scene.writeBundle({ v: 1 });
    await scene.open({ age_seconds_max: limit / 1000 });
    writeFileSync(scene.bundle, 'garbage');
    await scene.settle();
    scene.now_ms += amount;
    return outcomeOf(() => scene.source.current());
  });
}
