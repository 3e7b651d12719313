/** A choice among some of the tools, for a dialect without one: every server knows a shorter list. */
import { changed } from '../../lib/changed.ts';
import type { HubNamespace, HubRequest, HubTool, HubToolName } from '../hub.ts';
import type { Emulated, Stage } from './stage.ts';

export const allowedTools: Stage = {
  ability: 'allowedTools',
  emulate(request: HubRequest): Emulated | undefined {
    const { toolChoice: choice } = request;
    if (choice?.kind !== 'allowed') return undefined;
    const names = new Set(choice.tools.map((tool) => nameOf(tool)));
    const tools = request.tools.flatMap((tool) => allowedOf(tool, names));
    const toolChoice = { kind: choice.required ? 'required' : 'auto' } as const;
    return { request: changed(request, { tools, toolChoice }), leftOut: [] };
  },
};

/** A namespace is allowed as a whole, or tool by tool. */
function allowedOf(tool: HubTool, names: ReadonlySet<string>): readonly HubTool[] {
  if (names.has(nameOf(tool))) return [tool];
  if (tool.kind !== 'namespace') return [];
  const tools = tool.tools.filter((one) => names.has(nameOf(one, tool.name)));
  return tools.length === 0 ? [] : [changed<HubNamespace>(tool, { tools })];
}

/** Equal for a tool and what names it. Of hosted tools there is one of a type, but for servers, which have labels. */
function nameOf(tool: HubTool | HubToolName, within?: string): string {
  if (tool.kind === 'hosted') {
    const { type, name, server_label: label } = tool.raw;
    return JSON.stringify(type === 'namespace' ? [type, name] : ['hosted', type, label]);
  }
  if (tool.kind === 'namespace') return JSON.stringify([tool.kind, tool.name]);
  const namespace = within ?? ('namespace' in tool ? tool.namespace : undefined);
  return JSON.stringify([tool.kind, tool.name, namespace]);
}
