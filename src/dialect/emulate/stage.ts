/**
 * What an emulation is made of: stages. A stage turns a request that uses something into one that does without, and has
 * what turns the answer to that into the answer to the first. It knows the hub alone, and no dialect.
 */
import type { Ability } from '../ability.ts';
import type { HubAnswer, HubProgress, HubRequest } from '../hub.ts';

export interface Stage {
  /** What it emulates: it is asked only for an upstream whose dialect lacks this. */
  readonly ability: Ability;
  /** Undefined where the request does not use it. */
  emulate(request: HubRequest): Emulated | undefined;
}

export interface Emulated {
  readonly request: HubRequest;
  /** What could not be carried, as the client named it. */
  readonly leftOut: readonly string[];
  /** Absent where the answer is what the client expects as it is. */
  readonly restorer?: Restorer;
}

/** Turns an answer back into one to the request as it was. */
export interface Restorer {
  answer(answer: HubAnswer): HubAnswer;
  /** One for each stream. */
  stream(): StreamRestorer;
}

export interface StreamRestorer {
  /** What the client is told in place of this event. */
  restore(event: HubProgress): readonly HubProgress[];
  /** The answer ended before the upstream's did: whatever comes behind is of no use. */
  readonly isOver: boolean;
}
