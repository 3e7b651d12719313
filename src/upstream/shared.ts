/** What other nodes may ask for: the models that this node announces, and nothing that it could pass on. */
import type { Answer } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';

export function shared(answer: Answer, cards: readonly Card[], nodeName: string): Answer {
  const keys = new Set(cards.map(({ provider, id }) => `${provider}/${id}`));
  return async (call, signal) => {
    const { provider = '', id } = call.model;
    if (keys.has(`${provider}/${id}`)) return answer(call, signal);
    throw new ClawError('model_not_found', `node ${nodeName} shares no model ${provider}/${id}`);
  };
}
