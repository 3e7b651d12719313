/** All that has to be made of something else, so that an upstream can answer a request that its dialect has no words for. */
import type { Ability } from '../ability.ts';
import type { HubProgress, HubRequest } from '../hub.ts';
import { addedTools } from './added-tools.ts';
import { allowedTools } from './allowed-tools.ts';
import { customTools } from './custom-tools.ts';
import { hostedTools } from './hosted-tools.ts';
import { namespaces } from './namespaces.ts';
import type { Emulated, Restorer, Stage, StreamRestorer } from './stage.ts';
import { stopTexts } from './stop-texts.ts';

/** In this order: each leaves what those behind it know to take. An answer goes through them the other way round. */
const STAGES: readonly Stage[] = [addedTools, allowedTools, hostedTools, namespaces, customTools, stopTexts];

/** The request as a dialect with these abilities can say it. */
export function emulated(request: HubRequest, abilities: ReadonlySet<Ability>): Emulated {
  let current = request;
  const leftOut: string[] = [];
  const restorers: Restorer[] = [];
  for (const stage of STAGES) {
    const result = abilities.has(stage.ability) ? undefined : stage.emulate(current);
    if (result === undefined) continue;
    current = result.request;
    for (const name of result.leftOut) leftOut.push(name);
    if (result.restorer !== undefined) restorers.unshift(result.restorer);
  }
  if (current.tools.length === 0 && current.toolChoice !== undefined) {
    const { toolChoice, ...rest } = current;
    // With nothing to choose from, two of the choices are no loss.
    if (toolChoice.kind !== 'none' && toolChoice.kind !== 'auto') leftOut.push('tool_choice');
    current = rest;
  }
  const told = [...new Set(leftOut)];
  const [only, ...others] = restorers;
  if (only === undefined) return { request: current, leftOut: told };
  return { request: current, leftOut: told, restorer: others.length === 0 ? only : chain(restorers) };
}

function chain(restorers: readonly Restorer[]): Restorer {
  return {
    answer: (answer) => restorers.reduce((current, restorer) => restorer.answer(current), answer),
    stream: () => new Chain(restorers.map((restorer) => restorer.stream())),
  };
}

class Chain implements StreamRestorer {
  readonly #restorers: readonly StreamRestorer[];

  constructor(restorers: readonly StreamRestorer[]) {
    this.#restorers = restorers;
  }

  get isOver(): boolean {
    return this.#restorers.some(({ isOver }) => isOver);
  }

  restore(event: HubProgress): readonly HubProgress[] {
    let events: readonly HubProgress[] = [event];
    for (const restorer of this.#restorers) events = events.flatMap((one) => restorer.restore(one));
    return events;
  }
}
