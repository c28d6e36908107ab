/**
 * What fails when policy denies one method: for each revision the scenarios that need it, written
 * down before they are run. What is not named must be found as without a guard.
 */
import type { KnownMethod } from '../../src/pep/methods.ts';
import type { Revision } from './suite.ts';

type Denials = Partial<Record<KnownMethod, Partial<Record<Revision, readonly string[]>>>>;

const CONTENT = [
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-with-progress',
];
const ELICITING = [
  'tools-call-elicitation',
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
];
const PROMPTS = [
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-embedded-resource',
  'prompts-get-with-image',
];
const READS = ['resources-read-text', 'resources-read-binary', 'resources-templates-read'];
const HEADERS = ['http-header-validation', 'http-custom-header-server-validation'];

/** A refused call answers with text and `isError`, which is all that some scenarios look at. */
export const DENIALS: Denials = {
  'tools/list': {
    '2025-11-25': ['json-schema-2020-12'],
    '2026-07-28': ['json-schema-2020-12', ...HEADERS],
  },
  'tools/call': {
    '2025-11-25': [
      ...CONTENT,
      ...ELICITING,
      'tools-call-with-logging',
      'tools-call-sampling',
      'server-sse-polling',
    ],
    '2026-07-28': [
      ...CONTENT,
      'server-stateless',
      'input-required-result-basic-elicitation',
      'input-required-result-basic-sampling',
      'input-required-result-basic-list-roots',
      'input-required-result-request-state',
      'input-required-result-multiple-input-requests',
      'input-required-result-multi-round',
      'input-required-result-result-type',
      'input-required-result-tampered-state',
      'input-required-result-capability-check',
    ],
  },
  // An empty list is one that the scenarios take.
  'prompts/list': { '2025-11-25': [], '2026-07-28': [] },
  'resources/list': { '2025-11-25': [], '2026-07-28': [] },
  'resources/templates/list': { '2025-11-25': [], '2026-07-28': [] },
  'prompts/get': {
    '2025-11-25': PROMPTS,
    '2026-07-28': [...PROMPTS, 'input-required-result-non-tool-request'],
  },
  'resources/read': { '2025-11-25': READS, '2026-07-28': [...READS, 'caching'] },
  'completion/complete': {
    '2025-11-25': ['completion-complete'],
    '2026-07-28': ['completion-complete'],
  },
  'resources/subscribe': { '2025-11-25': ['resources-subscribe', 'resources-unsubscribe'] },
  'resources/unsubscribe': { '2025-11-25': ['resources-unsubscribe'] },
  // Policy decides on resources that are listened to; that a list changed may always be heard.
  'subscriptions/listen': { '2026-07-28': [] },
  'sampling/createMessage': {
    '2025-11-25': ['tools-call-sampling'],
    '2026-07-28': [
      'input-required-result-basic-sampling',
      'input-required-result-multiple-input-requests',
      'input-required-result-capability-check',
    ],
  },
  'elicitation/create': {
    '2025-11-25': ELICITING,
    '2026-07-28': [
      'input-required-result-basic-elicitation',
      'input-required-result-request-state',
      'input-required-result-multiple-input-requests',
      'input-required-result-multi-round',
      'input-required-result-non-tool-request',
      'input-required-result-result-type',
      'input-required-result-tampered-state',
    ],
  },
  'roots/list': {
    '2025-11-25': [],
    '2026-07-28': [
      'input-required-result-basic-list-roots',
      'input-required-result-multiple-input-requests',
    ],
  },
};
