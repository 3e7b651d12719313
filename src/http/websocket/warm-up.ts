/**
 * The answer to a message that wants nothing generated: a response without output, that the next message goes on from.
 * No model is asked: there is none that could be told of a prompt beforehand.
 */
import type { Answer, Call } from '../../core/call.ts';
import { shapes } from '../../dialect/dialects.ts';
import { parseClientJson } from '../../dialect/door.ts';
import { heldBody } from '../../dialect/held-body.ts';
import type { HubRequest } from '../../dialect/hub.ts';
import type { Clock } from '../../lib/clock.ts';

const { responses } = shapes;
const NOTHING_USED = { inputTokens: 0, outputTokens: 0, totalTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

export function warmUp(clock: Clock): Answer {
  return (call) => {
    const writer = responses.streamWriter({
      model: call.model.id,
      provider: call.model.provider ?? '',
      request: requestOf(call),
      tools: {
        // One response, and no items: the call's own id is as good as a new one.
        randomId: (prefix) => prefix + call.id,
        wall: () => clock.wall(),
        eventBytesMax: Number.POSITIVE_INFINITY,
        note: () => {},
      },
    });
    const begun = writer.write({ type: 'started' });
    const text = begun + writer.write({ type: 'finished', ending: 'stop', usage: NOTHING_USED });
    const headers = { 'content-type': 'text/event-stream' };
    const body = heldBody(Buffer.from(text), { finish: 'completed', usage: NOTHING_USED });
    return Promise.resolve({ status: 200, headers, ...body });
  };
}

/** What cannot be read here is for the upstream of the message that goes on from this one to judge. */
function requestOf({ body, model }: Call): HubRequest {
  try {
    return responses.readRequest(parseClientJson(body));
  } catch {
    return responses.readRequest({ model: model.id, input: [] });
  }
}
