/** The words of the SEP for the methods of MCP (ruling R16). */

/** MCP methods by capability type and action word. What is not here is denied. */
export const SEP_ACTIONS = {
  tool: { execute: 'tools/call', list: 'tools/list' },
  resource: {
    read: 'resources/read',
    list: 'resources/list',
    subscribe: 'resources/subscribe',
  },
  resource_template: { list: 'resources/templates/list' },
  prompt: { get: 'prompts/get', list: 'prompts/list' },
  completion: { complete: 'completion/complete' },
  task: {
    read: 'tasks/get',
    list: 'tasks/list',
    update: 'tasks/update',
    cancel: 'tasks/cancel',
  },
} as const satisfies Record<string, Record<string, string>>;

/** The capability type and action word of a method; undefined where the SEP has none. */
export function sepWordsOf(method: string): { type: string; action: string } | undefined {
  for (const [type, actions] of Object.entries(SEP_ACTIONS)) {
    for (const [action, name] of Object.entries(actions)) {
      if (name === method) return { type, action };
    }
  }
  return undefined;
}
