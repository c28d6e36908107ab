/** The `.manifest` of a bundle (OPA documentation, "Bundle File Format"), with ours inside. */
import { jsonFaultText, schemaFaultText } from '../contract/fault_text.ts';
import { JSON_LIMITS, parseJson } from '../contract/json.ts';
import type { BundleMetadata } from '../contract/types.gen.ts';
import { compileSchema, VALIDATORS } from '../contract/validate.ts';
import { invalid } from './files.ts';

export interface Manifest {
  /** Empty where the builder gave none. */
  revision: string;
  /** Paths of the data that the bundle may hold; one empty path stands for all. */
  roots: string[];
  /** Entrypoints with the module that serves each. */
  wasm: { entrypoint: string; module: string }[];
  /** `metadata.portcullis`; a bundle that only OPA knows has none. */
  portcullis?: BundleMetadata;
}

const LIMITS = { ...JSON_LIMITS, size_bytes_max: 16_777_216 };

/** What is used of a manifest; OPA adds members with time, so others are ignored. */
const validate = compileSchema<{
  revision?: string;
  roots?: string[];
  wasm?: { entrypoint: string; module: string }[];
  metadata?: { portcullis?: unknown };
}>({
  type: 'object',
  properties: {
    revision: { type: 'string', maxLength: 256 },
    roots: { type: 'array', items: { type: 'string', maxLength: 1024 }, maxItems: 1024 },
    wasm: {
      type: 'array',
      maxItems: 1024,
      items: {
        type: 'object',
        properties: {
          entrypoint: { type: 'string', minLength: 1, maxLength: 256 },
          module: { type: 'string', minLength: 1, maxLength: 1024 },
        },
        required: ['entrypoint', 'module'],
      },
    },
    metadata: { type: 'object' },
  },
});

/** Reads a manifest; a bundle without one owns all data. Throws `BUNDLE_INVALID`. */
export function readManifest(bytes: Uint8Array | undefined): Manifest {
  if (!bytes) return { revision: '', roots: [''], wasm: [] };
  const json = parseJson(bytes, LIMITS);
  if (!json.ok) throw invalid(`.manifest cannot be read: ${jsonFaultText(json.fault)}`);
  const manifest = validate(json.value);
  if (!manifest.ok) throw invalid(`.manifest is wrong: ${schemaFaultText(manifest.fault)}`);
  const { revision = '', roots = [''], wasm = [], metadata } = manifest.value;
  if (metadata?.portcullis === undefined) return { revision, roots, wasm };
  const own = VALIDATORS.bundle_metadata(metadata.portcullis);
  if (own.ok) return { revision, roots, wasm, portcullis: own.value };
  const fault = { ...own.fault, pointer: `/metadata/portcullis${own.fault.pointer}` };
  throw invalid(`.manifest is wrong: ${schemaFaultText(fault)}`);
}
