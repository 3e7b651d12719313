/** Items of an answer that chat has no form for: what the provider's own tools did, and what it asks the client to do. */
import type { JsonObject } from '../../lib/json.ts';
import type { HubHostedItem } from '../hub-item.ts';
import { unsupported } from '../refuse.ts';
import type { DialectTools } from '../shape.ts';
import { writeImage } from './media.ts';

/** The answer waits for the client to do this: without it, it would look like one that is whole. */
const WAITING: ReadonlySet<string> = new Set([
  'mcp_approval_request',
  'computer_call',
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
]);

/**
 * The image that the item is, if it is one. Throws for an item that the client would have to act on: no other owner would
 * answer otherwise, as it is the request that offers that tool.
 */
export function imageOfItem({ type, raw }: HubHostedItem, tools: DialectTools): JsonObject | undefined {
  if (WAITING.has(type))
    throw unsupported('tools', `the model asks for a "${type}", which clients of Chat Completions cannot do`);
  const image = writeImage(raw);
  if (image === undefined) tools.note(`an item "${type}" of the answer`);
  return image;
}
