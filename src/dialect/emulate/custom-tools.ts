/** Tools that take free text, for a dialect that knows functions alone: a function whose one argument is the text. */
import { z } from 'zod';
import { ClawError } from '../../core/errors.ts';
import { JSON_REPLY_BYTES_MAX } from '../../core/limits.ts';
import { changed } from '../../lib/changed.ts';
import { tolerantJson } from '../../lib/json.ts';
import type {
  HubCustomTool,
  HubFunctionTool,
  HubProgress,
  HubRequest,
  HubToolChoice,
  HubTurn,
} from '../hub.ts';
import type { HubCall, HubItem } from '../hub-item.ts';
import { present } from '../present.ts';
import { textPieces } from '../text-pieces.ts';
import type { Emulated, Restorer, Stage, StreamRestorer } from './stage.ts';
import { ToolNames } from './tool-name.ts';

type Names = ToolNames<{ readonly name: string }>;

export const customTools: Stage = {
  ability: 'customTools',
  emulate(request: HubRequest): Emulated | undefined {
    const { tools, turns, toolChoice: choice } = request;
    if (!tools.some(({ kind }) => kind === 'custom') && !turns.some(isCustom)) return undefined;
    const names: Names = new ToolNames(tools.filter(({ kind }) => kind !== 'custom'));
    const changes = {
      tools: tools.map((tool) => (tool.kind === 'custom' ? asFunction(tool, names) : tool)),
      turns: turns.map((turn) => (isCustom(turn) ? withFunctions(turn, names) : turn)),
    };
    const toolChoice = choice?.kind === 'custom' ? choiceOf(choice.name, names) : undefined;
    return {
      request: changed(request, toolChoice === undefined ? changes : { ...changes, toolChoice }),
      leftOut: [],
      restorer: restorerOf(names),
    };
  },
};

function asFunction(tool: HubCustomTool, names: Names): HubFunctionTool {
  const { name, description, format, deferred } = tool;
  const grammar =
    format?.kind === 'grammar'
      ? `"input" must be a text of this grammar (${format.syntax}):\n${format.definition}`
      : undefined;
  const said = [description, grammar].filter((one) => one !== undefined && one !== '').join('\n\n');
  return {
    kind: 'function',
    name: names.give({ name }, name),
    parameters: {
      type: 'object',
      properties: { input: { type: 'string' } },
      required: ['input'],
      additionalProperties: false,
    },
    ...present({ description: said === '' ? undefined : said, deferred }),
  };
}

function choiceOf(name: string, names: Names): HubToolChoice {
  return { kind: 'function', name: names.give({ name }, name) };
}

function isCustom(turn: HubTurn): boolean {
  if (turn.role === 'tool') return turn.kind === 'custom';
  return (
    turn.role === 'assistant' && turn.items.some((item) => item.kind === 'call' && item.call === 'custom')
  );
}

function withFunctions(turn: HubTurn, names: Names): HubTurn {
  if (turn.role === 'tool') return changed(turn, { kind: 'function' });
  if (turn.role !== 'assistant') return turn;
  const items = turn.items.map((item): HubItem => {
    if (item.kind !== 'call' || item.call !== 'custom') return item;
    const { name, input } = item;
    return changed<HubCall>(item, {
      call: 'function',
      name: names.give({ name }, name),
      input: JSON.stringify({ input }),
    });
  });
  return { role: 'assistant', items };
}

function restorerOf(names: Names): Restorer {
  return {
    answer: (answer) => changed(answer, { items: answer.items.map((item) => restored(item, names)) }),
    stream: () => new CustomCalls(names),
  };
}

function restored(item: HubItem, names: Names): HubItem {
  if (item.kind !== 'call' || item.call !== 'function') return item;
  const meant = names.meant(item.name);
  if (meant === undefined) return item;
  return changed<HubCall>(item, { call: 'custom', name: meant.name, input: textOf(item.input) });
}

const Arguments = z.union([
  z.object({ input: z.string() }).transform(({ input }) => input),
  z.strictObject({}).transform(() => ''),
]);

/** Arguments that are not what was asked for are given as they are: a model may well have written the bare text. */
function textOf(given: string): string {
  const read = Arguments.safeParse(tolerantJson(given));
  return read.success ? read.data : given;
}

/** The text of a call is told once it is whole: only then it is known whether it came as asked. */
class CustomCalls implements StreamRestorer {
  readonly isOver = false;
  readonly #names: Names;
  /** Of the call that is being told, where it is one of these. */
  #input: string | undefined;

  constructor(names: Names) {
    this.#names = names;
  }

  restore(event: HubProgress): readonly HubProgress[] {
    if (event.type === 'item') return [this.#begin(event)];
    if (this.#input === undefined) return [event];
    if (event.type === 'input') {
      this.#input += event.text;
      if (this.#input.length > JSON_REPLY_BYTES_MAX)
        throw new ClawError('stream_buffer_exceeded', 'the input of a tool is longer than a reply may be');
      return [];
    }
    if (event.type !== 'item_done') return [event];
    const pieces = textPieces(textOf(this.#input));
    this.#input = undefined;
    // Some clients take the input from the pieces alone: also an empty one is told.
    const told = (pieces.length === 0 ? [''] : pieces).map((text) => ({ type: 'input', text }) as const);
    return [...told, event];
  }

  #begin(event: Extract<HubProgress, { type: 'item' }>): HubProgress {
    this.#input = undefined;
    const { item } = event;
    const meant = item.kind === 'call' && item.call === 'function' ? this.#names.meant(item.name) : undefined;
    if (item.kind !== 'call' || meant === undefined) return event;
    this.#input = '';
    return { type: 'item', item: { ...item, call: 'custom', name: meant.name } };
  }
}
