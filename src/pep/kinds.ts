/** The kinds of capability that a server lists, and how MCP lists each. */
import type { Resource } from '../contract/types.gen.ts';
import type { KnownMethod } from './methods.ts';

export type Kind = Extract<Resource['type'], 'tool' | 'prompt' | 'resource' | 'resource_template'>;

export interface Listing {
  /** The method that lists them, page by page. */
  method: KnownMethod;
  /** The member of a page that holds them. */
  member: string;
  /** The member of an item by which it is used, and policy names it. */
  key: string;
  /** Says that the list may have changed. */
  changed: KnownMethod;
  /** The capability of a server that has them. */
  capability: string;
}

export const KINDS: Readonly<Record<Kind, Listing>> = {
  tool: {
    method: 'tools/list',
    member: 'tools',
    key: 'name',
    changed: 'notifications/tools/list_changed',
    capability: 'tools',
  },
  prompt: {
    method: 'prompts/list',
    member: 'prompts',
    key: 'name',
    changed: 'notifications/prompts/list_changed',
    capability: 'prompts',
  },
  resource: {
    method: 'resources/list',
    member: 'resources',
    key: 'uri',
    changed: 'notifications/resources/list_changed',
    capability: 'resources',
  },
  resource_template: {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    key: 'uriTemplate',
    changed: 'notifications/resources/list_changed',
    capability: 'resources',
  },
};

export const ALL_KINDS = Object.keys(KINDS) as Kind[];
