/** The built-in model: says again what the user said, so that a first call works before anything is configured. */
import type { Answer, Reply } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { shapes } from '../dialect/dialects.ts';
import { heldBody } from '../dialect/held-body.ts';
import type { HubProgress, HubRequest } from '../dialect/hub.ts';
import type { DialectTools } from '../dialect/shape.ts';

export const echoCard: Card = {
  id: 'echo',
  provider: 'builtin',
  dialect: 'chat',
  description: 'says again what you say; there until a model is configured',
};

const shape = shapes.chat;

/** Speaks the dialect of its card, like any upstream. */
export function echoAnswer(tools: DialectTools): Answer {
  return async (call) => {
    const request = shape.readRequest(JSON.parse(Buffer.from(call.body).toString('utf8')));
    const context = { model: echoCard.id, provider: echoCard.provider, request, tools };
    const text = lastUserText(request);
    if (!call.stream) {
      const said = { kind: 'text', text, annotations: [], logprobs: [] } as const;
      const message = { kind: 'message', complete: true, parts: [said] } as const;
      const whole = shape.writeReply({ kind: 'answer', items: [message], ending: 'stop' }, context);
      return replyOf('application/json', JSON.stringify(whole));
    }
    const writer = shape.streamWriter(context);
    const events = eventsOf(text).map((event) => writer.write(event));
    return replyOf('text/event-stream', events.join(''));
  };
}

function lastUserText({ turns }: HubRequest): string {
  for (const turn of turns.toReversed()) {
    if (turn.role !== 'user') continue;
    return turn.parts.map((part) => (part.kind === 'text' ? part.text : `[${part.kind}]`)).join(' ');
  }
  return '';
}

function eventsOf(text: string): HubProgress[] {
  const words = text.match(/\S+\s*|\s+/g) ?? [];
  return [
    { type: 'started' },
    { type: 'item', item: { kind: 'message' } },
    ...words.map((word): HubProgress => ({ type: 'text', text: word, logprobs: [] })),
    { type: 'item_done', complete: true },
    { type: 'finished', ending: 'stop' },
  ];
}

function replyOf(contentType: string, text: string): Reply {
  return {
    status: 200,
    headers: { 'content-type': contentType },
    ...heldBody(Buffer.from(text, 'utf8'), { finish: 'stop' }),
  };
}
