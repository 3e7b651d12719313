/**
 * Tools that a provider runs, for a dialect whose servers run none: they are left out, and so is what they did. What a
 * search of tools would find is offered from the beginning.
 */
import { changed } from '../../lib/changed.ts';
import type { HubHostedTool, HubNamespace, HubRequest, HubTool, HubTurn } from '../hub.ts';
import type { Emulated, Stage } from './stage.ts';

/** What these hold of use has been read out of them: the tools that they handed in. */
const READ: ReadonlySet<string> = new Set(['additional_tools', 'tool_search_call', 'tool_search_output']);

export const hostedTools: Stage = {
  ability: 'hostedTools',
  emulate(request: HubRequest): Emulated | undefined {
    const leftOut: string[] = [];
    const tools = request.tools.flatMap((tool) => withoutHosted(tool, leftOut));
    const turns = request.turns.flatMap((turn) => withoutHostedItems(turn, leftOut));
    const known = new Set(request.turns);
    const isChosen = request.toolChoice?.kind === 'hosted';
    if (isChosen) leftOut.push('tool_choice');
    const isSame = turns.length === request.turns.length && turns.every((turn) => known.has(turn));
    if (leftOut.length === 0 && isSame) return undefined;
    const changes = isChosen ? { tools, turns, toolChoice: { kind: 'auto' } as const } : { tools, turns };
    return { request: changed(request, changes), leftOut };
  },
};

function withoutHosted(tool: HubTool, leftOut: string[]): readonly HubTool[] {
  if (tool.kind !== 'namespace') return isOurs(tool, leftOut) ? [tool] : [];
  const tools = tool.tools.filter((one) => isOurs(one, leftOut));
  return tools.length === 0 ? [] : [changed<HubNamespace>(tool, { tools })];
}

function isOurs(tool: HubTool, leftOut: string[]): tool is Exclude<HubTool, HubHostedTool> {
  if (tool.kind === 'hosted') leftOut.push(tool.param);
  return tool.kind !== 'hosted';
}

function withoutHostedItems(turn: HubTurn, leftOut: string[]): readonly HubTurn[] {
  if (turn.role !== 'assistant') return [turn];
  const items = turn.items.filter((item) => {
    if (item.kind !== 'hosted') return true;
    if (!READ.has(item.type)) leftOut.push(item.type);
    return false;
  });
  if (items.length === turn.items.length) return [turn];
  return items.length === 0 ? [] : [{ role: 'assistant', items }];
}
