/** A whole Responses reply: into the hub and out of it. */
import { z } from 'zod';
import { ClawError } from '../../core/errors.ts';
import { maybe, readProvider } from '../door.ts';
import { readFailure } from '../failure.ts';
import type { HubAnswer, HubReply } from '../hub.ts';
import { present } from '../present.ts';
import type { WriteContext } from '../shape.ts';
import { readEnding, readUsage, WireStatus, WireUsage } from './ending.ts';
import { idPrefixFor } from './item-ids.ts';
import { blobFor, readItem, writeItem } from './output.ts';
import { endState, newResponse, responseObject, secondsNow } from './response-object.ts';

const WireReply = WireStatus.extend({
  /** Old servers send `{"object":"error","message":…}`. */
  object: maybe(z.string()).catch(undefined),
  output: maybe(z.array(z.unknown())),
  usage: maybe(WireUsage).catch(undefined),
  service_tier: maybe(z.string()).catch(undefined),
});

/** Some servers answer 200 with an error in the body. */
export function readResponsesReply(reply: unknown): HubReply {
  const wire = readProvider(WireReply, reply, 'reply');
  if (wire.object === 'error' || (wire.error && wire.status === undefined))
    return { kind: 'failed', failure: readFailure(wire.error || reply) };
  const items = (wire.output ?? []).map(readItem);
  const ending = readEnding(
    wire,
    items.some((item) => item.kind === 'call'),
  );
  if (ending === undefined)
    throw new ClawError('upstream_protocol', `the upstream's response has not ended: it is ${wire.status}`);
  if (typeof ending !== 'string') return { kind: 'failed', failure: ending };
  return {
    kind: 'answer',
    items,
    ending,
    ...present({
      usage: wire.usage === undefined ? undefined : readUsage(wire.usage),
      serviceTier: wire.service_tier,
    }),
  };
}

export function writeResponsesReply(answer: HubAnswer, context: WriteContext): unknown {
  const { tools } = context;
  const maker = blobFor(context);
  const output = answer.items.map((item) => writeItem(item, tools.randomId(idPrefixFor(item)), maker));
  return responseObject(newResponse(context), {
    ...endState(answer.ending, secondsNow(tools)),
    output,
    ...present({ usage: answer.usage, serviceTier: answer.serviceTier }),
  });
}
