/**
 * A third dialect, as a new file would add one: lines of JSON as Ollama's own API sends them, with an error, a key and a
 * default of its own. It lacks all that can be emulated.
 */
import { z } from 'zod';
import { ClawError } from '../../src/core/errors.ts';
import { parseProviderJson, readProvider } from '../../src/dialect/door.ts';
import { readFailure } from '../../src/dialect/failure.ts';
import { lines } from '../../src/dialect/framing/framing.ts';
import type { HubEvent, HubProgress } from '../../src/dialect/hub.ts';
import type { HubItem } from '../../src/dialect/hub-item.ts';
import { headOf, untold } from '../../src/dialect/replay.ts';
import type {
  DialectShape,
  DialectTools,
  Ending,
  StreamReader,
  StreamWatch,
  StreamWriter,
  WriteContext,
} from '../../src/dialect/shape.ts';
import {
  callOf,
  endOf,
  itemsOf,
  lastLine,
  Line,
  messageOf,
  readReply,
  readRequest,
  TOY,
  writeRequest,
} from './toy-wire.ts';

class ToyReader implements StreamReader {
  readonly #tools: DialectTools;
  #open: HubItem['kind'] | undefined;
  #hasBegun = false;
  #hasCalls = false;
  #isOver = false;

  constructor(tools: DialectTools) {
    this.#tools = tools;
  }

  read(data: string): readonly HubEvent[] {
    const line = readProvider(Line, parseProviderJson(data, 'line'), 'line');
    if (line.error !== undefined) return [{ type: 'failed', failure: readFailure(line.error) }];
    const said = line.message === undefined ? [] : itemsOf(line.message, () => this.#tools.randomId('call_'));
    const begun: readonly HubEvent[] = this.#hasBegun ? [] : [{ type: 'started' }];
    this.#hasBegun = true;
    const events = [...begun, ...said.flatMap((item) => this.#item(item))];
    if (line.done !== true) return events;
    this.#isOver = true;
    return [...events, ...this.#close(), { type: 'finished', ...endOf(line, this.#hasCalls) }];
  }

  end(): readonly HubEvent[] {
    if (!this.#isOver)
      throw new ClawError('upstream_truncated', 'the upstream stopped before its answer was');
    return [];
  }

  #item(item: HubItem): readonly HubEvent[] {
    if (item.kind === 'hosted') return [];
    const told = untold(item, { told: '', annotations: 0, logprobs: 0 });
    if (item.kind === 'call') this.#hasCalls = true;
    if (this.#open === item.kind && item.kind !== 'call') return told;
    const begun = [...this.#close(), { type: 'item', item: headOf(item) } as const];
    this.#open = item.kind;
    return [...begun, ...told];
  }

  #close(): readonly HubEvent[] {
    const isOpen = this.#open !== undefined;
    this.#open = undefined;
    return isOpen ? [{ type: 'item_done', complete: true }] : [];
  }
}

class ToyWriter implements StreamWriter {
  readonly #model: string;
  #call: { readonly name: string; input: string } | undefined;

  constructor({ model }: WriteContext) {
    this.#model = model;
  }

  write(event: HubProgress): string {
    switch (event.type) {
      case 'item':
        this.#call = event.item.kind === 'call' ? { name: event.item.name, input: '' } : undefined;
        return '';
      case 'input':
        if (this.#call !== undefined) this.#call.input += event.text;
        return '';
      case 'text':
        return this.#line({ message: { role: 'assistant', content: event.text }, done: false });
      case 'reasoning':
        return this.#line({
          message: { role: 'assistant', content: '', thinking: event.text },
          done: false,
        });
      case 'item_done': {
        const call = this.#call;
        if (call === undefined) return '';
        const tool_calls = [callOf(call.name, call.input)];
        return this.#line({ message: { role: 'assistant', content: '', tool_calls }, done: false });
      }
      case 'finished':
        return this.#line(lastLine(event));
      default:
        return '';
    }
  }

  #line(members: object): string {
    return `${JSON.stringify({ model: this.#model, ...members })}\n`;
  }
}

const Tags = z.object({ models: z.array(z.object({ name: z.string() })) });
const LAST = Buffer.from('"done":true');

class ToyWatch implements StreamWatch {
  ending: Ending | undefined;

  see(events: Uint8Array): void {
    if (Buffer.from(events).includes(LAST)) this.ending = { finish: 'stop' };
  }

  skip(): void {}

  failure(error: ClawError): Uint8Array {
    return Buffer.from(`${JSON.stringify({ error: error.message })}\n`);
  }

  alive(): Uint8Array {
    return new Uint8Array(0);
  }
}

export const toy: DialectShape = {
  name: TOY,
  path: '/api/toy',
  framing: lines,
  streamsByDefault: true,
  abilities: new Set(),
  headers: { 'toy-version': '1', 'toy-kind': 'lines' },
  authorization: (apiKey) => ({ 'x-toy-key': apiKey }),
  modelList: {
    path: '/api/tags',
    rows: (list) => Tags.safeParse(list).data?.models.map(({ name: id }) => ({ id })),
  },
  errorBody: ({ error }) => ({ error: error.message }),
  watch: () => new ToyWatch(),
  mender: () => undefined,
  endingOf: (reply) => (Line.safeParse(reply).data?.done === true ? { finish: 'stop' } : undefined),
  withNote: (body) => body,
  readRequest,
  writeRequest,
  leftOut: () => [],
  readReply,
  writeReply: (answer, { model }) => ({ model, message: messageOf(answer.items), ...lastLine(answer) }),
  streamOf: (reply) => `${JSON.stringify(reply)}\n`,
  gatherer: () => ({ add: () => {}, whole: () => ({}) }),
  streamReader: (tools) => new ToyReader(tools),
  streamWriter: (context) => new ToyWriter(context),
};
