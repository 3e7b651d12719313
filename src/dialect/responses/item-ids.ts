/** Ids for output items: ours, and those of servers that give theirs none. Every event of an item names it. */
import type { HubCallKind, HubItem } from '../hub-item.ts';

const PREFIXES: ReadonlyMap<unknown, string> = new Map([
  ['message', 'msg_'],
  ['reasoning', 'rs_'],
  ['function_call', 'fc_'],
  ['custom_tool_call', 'ctc_'],
]);

/** Some clients tell the kinds of items apart by it. */
export function idPrefixOf(type: unknown): string {
  return PREFIXES.get(type) ?? 'item_';
}

/** The same for an item of the hub. */
export function idPrefixFor({ kind, call }: Pick<HubItem, 'kind'> & { readonly call?: HubCallKind }): string {
  if (kind !== 'call') return idPrefixOf(kind);
  return idPrefixOf(call === 'custom' ? 'custom_tool_call' : 'function_call');
}
