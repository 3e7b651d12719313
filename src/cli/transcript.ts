/** Writes what a model says to standard output as it comes: the answer, its tool calls, and on a terminal its thoughts. */
import type { Said } from './answer.ts';
import { painter } from './colour.ts';
import { plainText, proseText } from './table.ts';
import type { World } from './world.ts';

export class Transcript {
  readonly #world: World;
  readonly #terminal: boolean;
  readonly #tools = new Map<number, { name: string; arguments: string }>();
  /** What the last letter belonged to: thoughts and answer stand apart. */
  #last: 'nothing' | 'reasoning' | 'text' = 'nothing';
  #openLine = false;
  #finish = '';

  constructor(world: World) {
    this.#world = world;
    this.#terminal = world.out.columns !== undefined;
  }

  say(said: Said): void {
    if (said.kind === 'text') this.#write('text', said.text);
    else if (said.kind === 'reasoning') this.#think(said.text);
    else if (said.kind === 'tool') this.#call(said);
    else if (said.kind === 'finish') this.#finish = said.reason;
  }

  /** The tool calls, the line's end, and a word on standard error where the model itself stopped too early. */
  end(): void {
    this.#endLine();
    for (const { name, arguments: given } of this.#tools.values())
      this.#world.out.write(`[tool call] ${plainText(name)}(${plainText(given)})\n`);
    const early = EARLY[this.#finish];
    if (early !== undefined) this.#world.err.write(`clawmatrix: ${early}\n`);
  }

  #write(kind: 'reasoning' | 'text', text: string): void {
    if (this.#last === 'reasoning' && kind === 'text') {
      this.#endLine();
      this.#world.out.write('\n');
    }
    this.#last = kind;
    this.#openLine = !text.endsWith('\n');
    // Into a pipe go the model's own letters; a terminal would obey some of them.
    const shown = this.#terminal ? proseText(text) : text;
    this.#world.out.write(kind === 'text' ? shown : this.#dim(shown));
  }

  /** Where thoughts could not be told from the answer, they are left out. */
  #think(text: string): void {
    if (this.#dim('x') !== 'x') this.#write('reasoning', text);
  }

  #call({ index, name, arguments: given }: Said & { kind: 'tool' }): void {
    const call = this.#tools.get(index) ?? { name: '', arguments: '' };
    this.#tools.set(index, { name: call.name + name, arguments: call.arguments + given });
  }

  #endLine(): void {
    if (this.#openLine) this.#world.out.write('\n');
    this.#openLine = false;
  }

  #dim(text: string): string {
    return painter(this.#world.out, this.#world.env)('dim', text);
  }
}

const EARLY: Readonly<Record<string, string>> = {
  length: 'the model stopped at its limit of tokens: the answer may lack its end',
  content_filter: "the model's server held back the rest of the answer (content_filter)",
};
