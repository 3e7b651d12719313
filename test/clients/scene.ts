/** One client at one model of the two daemons, and what the tests do with it. */
import { expect } from 'vitest';
import type { Said } from '../support/openai-bodies.ts';
import { answers, refuses, type Script } from '../support/scripted-upstream.ts';
import type { MODELS, TwoNodes } from '../support/two-nodes.ts';
import type { Ability, Client, Failure, Place, Question } from './client.ts';

export type Upstream = keyof typeof MODELS;

export const UPSTREAMS: readonly Upstream[] = ['chat', 'responses'];

/** One client at one model of the two daemons. */
export interface Scene {
  readonly client: Client;
  readonly upstream: Upstream;
  readonly place: Place;
  readonly nodes: TwoNodes;
}

export interface Promised {
  readonly name: string;
  /** Nothing is promised to a client without it. */
  readonly needs?: Ability;
  /** Where it is to be expected at all; everywhere, where this is left out. */
  readonly where?: (client: Client, upstream: Upstream) => boolean;
  readonly holds: (scene: Scene) => Promise<void>;
}

export const EVENT_STREAM = { 'content-type': 'text/event-stream' };

/** What the last request said to the upstream. */
export function sent({ upstream }: TwoNodes): string {
  return upstream.requests.at(-1)?.body.toString() ?? '';
}

/** One script for each request of this test; nothing of it is left for the next one. */
export function scripted({ upstream }: TwoNodes, scripts: readonly Script[]): void {
  const waiting = [...scripts];
  const unexpected = refuses(400, { message: 'no script for this request' });
  upstream.always((...one) => (waiting.shift() ?? unexpected)(...one));
}

export async function heard(scene: Scene, question: Question, ...said: readonly Said[]) {
  scripted(scene.nodes, said.map(answers));
  return scene.client.ask(scene.place, question);
}

/** What the library's own error says of a call that has to fail. */
export async function failure({ client, place, nodes }: Scene, script?: Script): Promise<Failure> {
  scripted(nodes, script === undefined ? [] : [script]);
  const error: unknown = await client.ask(place, { text: 'Hi' }).then(
    (whole) => expect.fail(`a whole answer: ${JSON.stringify(whole)}`),
    (reason: unknown) => reason,
  );
  return client.failure(error) ?? expect.fail(`not an error of the library: ${String(error)}`);
}
