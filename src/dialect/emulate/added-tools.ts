/** Tools that the conversation handed in, for a dialect that knows only those declared: all are declared. */
import type { HubNamespace, HubRequest, HubTool } from '../hub.ts';
import { changed } from '../../lib/changed.ts';
import type { Emulated, Stage } from './stage.ts';

export const addedTools: Stage = {
  ability: 'addedTools',
  emulate(request: HubRequest): Emulated | undefined {
    const { addedTools: added, ...rest } = request;
    if (added === undefined) return undefined;
    return { request: { ...rest, tools: united([...request.tools, ...added]) }, leftOut: [] };
  },
};

type Inside = HubNamespace['tools'][number];

/** A search may find what is declared already. What was told last of a tool holds; a namespace grows. */
function united(tools: readonly HubTool[]): readonly HubTool[] {
  const inside = new Map<string, Inside[]>();
  for (const tool of tools) {
    if (tool.kind !== 'namespace') continue;
    const known = inside.get(tool.name);
    if (known === undefined) inside.set(tool.name, [...tool.tools]);
    else for (const one of tool.tools) known.push(one);
  }
  return latest(tools).map((tool) =>
    tool.kind === 'namespace'
      ? changed<HubNamespace>(tool, { tools: latest(inside.get(tool.name) ?? []) })
      : tool,
  );
}

function latest<T extends HubTool>(tools: readonly T[]): readonly T[] {
  return [...new Map(tools.map((tool) => [keyOf(tool), tool])).values()];
}

function keyOf(tool: HubTool): string {
  if (tool.kind === 'hosted') return `hosted ${tool.param}`;
  return tool.kind === 'namespace' ? `namespace ${tool.name}` : `tool ${tool.name}`;
}
