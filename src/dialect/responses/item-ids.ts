/** Ids for output items: some servers give theirs none, and every event of one names it. */

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
