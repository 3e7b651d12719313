/**
 * Puts a Responses stream together: for servers that stream when they are not asked to. The last event holds the whole
 * response; what some servers leave out of it is taken from the events before.
 */
import { z } from 'zod';
import { ClawError } from '../../core/errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import { AnyObject, maybe, parseProviderJson, readProvider } from '../door.ts';
import type { StreamGatherer } from '../shape.ts';

const END = /^response\.(completed|incomplete|failed|cancelled)$/;

const Event = z.object({
  type: maybe(z.string()),
  output_index: maybe(z.int()).catch(undefined),
  item: maybe(AnyObject),
  response: maybe(AnyObject),
});
const Output = z.array(z.unknown()).min(1);

export class ResponsesGatherer implements StreamGatherer {
  readonly #items = new Map<number, JsonObject>();
  /** As the stream told of it first, and last. */
  #response: JsonObject = {};
  #saidInPieces = false;

  add(data: string): void {
    if (data.trim() === '[DONE]') return;
    const event = readProvider(Event, parseProviderJson(data, 'event'), 'event');
    const { type = '', item, response, output_index = this.#items.size } = event;
    if (type.endsWith('.delta')) this.#saidInPieces = true;
    if (type === 'response.output_item.done' && item !== undefined) this.#items.set(output_index, item);
    if (response === undefined) return;
    const status = END.exec(type)?.[1];
    this.#response = { ...this.#response, ...response, ...(status === undefined ? {} : { status }) };
  }

  whole(): unknown {
    if (Output.safeParse(this.#response.output).success) return this.#response;
    const output = [...this.#items].sort(([one], [other]) => one - other).map(([, item]) => item);
    // An answer without its text would look like one that says nothing.
    if (output.length === 0 && this.#saidInPieces)
      throw new ClawError('upstream_protocol', 'the upstream told its answer in pieces and never as a whole');
    return { ...this.#response, output };
  }
}
