/** Tools under one name, for a dialect whose tools have one name each: `files` with its tool `read` is `files__read`. */
import { changed } from '../../lib/changed.ts';
import type { HubAnswer, HubNamespace, HubProgress, HubRequest, HubTool, HubTurn } from '../hub.ts';
import type { HubCall, HubItem } from '../hub-item.ts';
import type { Emulated, Restorer, Stage } from './stage.ts';
import { ToolNames } from './tool-name.ts';

interface Inside {
  readonly namespace: string;
  readonly name: string;
}

type Names = ToolNames<Inside>;

export const namespaces: Stage = {
  ability: 'namespaces',
  emulate(request: HubRequest): Emulated | undefined {
    const { tools, turns, toolChoice: choice } = request;
    if (!tools.some(({ kind }) => kind === 'namespace') && !turns.some(hasNamespace)) return undefined;
    const names: Names = new ToolNames(tools.filter(({ kind }) => kind !== 'namespace'));
    const changes = {
      tools: tools.flatMap((tool) => (tool.kind === 'namespace' ? flat(tool, names) : [tool])),
      turns: turns.map((turn) => (hasNamespace(turn) ? flatTurn(turn, names) : turn)),
    };
    const toolChoice = choice !== undefined && 'namespace' in choice ? flatName(choice, names) : undefined;
    return {
      request: changed(request, toolChoice === undefined ? changes : { ...changes, toolChoice }),
      leftOut: [],
      restorer: restorerOf(names),
    };
  },
};

/** What is said of the namespace is said once, with its first tool. */
function flat({ name: namespace, description, tools }: HubNamespace, names: Names): readonly HubTool[] {
  return tools.map((tool, index): HubTool => {
    if (tool.kind === 'hosted') return tool;
    const { name } = flatName({ name: tool.name, namespace }, names);
    const said = [index === 0 ? description : undefined, tool.description];
    const all = said.filter((one) => one !== undefined && one !== '').join('\n\n');
    return Object.assign({}, tool, { name }, all === '' ? {} : { description: all });
  });
}

function flatName<T extends { readonly name: string; readonly namespace?: string }>(
  named: T,
  names: Names,
): Omit<T, 'namespace'> {
  const { namespace, ...rest } = named;
  if (namespace === undefined) return rest;
  const { name } = named;
  return { ...rest, name: names.give({ namespace, name }, `${namespace}__${name}`) };
}

function hasNamespace(turn: HubTurn): boolean {
  return turn.role === 'assistant' && turn.items.some(isInside);
}

function isInside(item: HubItem): item is HubCall {
  return item.kind === 'call' && item.namespace !== undefined;
}

function flatTurn(turn: HubTurn, names: Names): HubTurn {
  if (turn.role !== 'assistant') return turn;
  return {
    role: 'assistant',
    items: turn.items.map((item) => (isInside(item) ? flatName(item, names) : item)),
  };
}

function restorerOf(names: Names): Restorer {
  const meant = <T extends { readonly name: string }>(named: T): T => {
    const inside = names.meant(named.name);
    return inside === undefined ? named : Object.assign({}, named, inside);
  };
  return {
    answer: (answer: HubAnswer) =>
      changed(answer, { items: answer.items.map((item) => (item.kind === 'call' ? meant(item) : item)) }),
    stream: () => ({
      isOver: false,
      restore: (event: HubProgress) =>
        event.type === 'item' && event.item.kind === 'call'
          ? [{ type: 'item', item: meant(event.item) }]
          : [event],
    }),
  };
}
