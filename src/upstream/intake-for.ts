/** Which intake a reply gets, by what its head and its first bytes say: a form of no use is a fault of the upstream. */
import type { Call } from '../core/call.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { DialectShape } from '../dialect/shape.ts';
import { FirstBytes, type Form } from './first-bytes.ts';
import { bodyInWords, EVENTS_TYPE, type HttpHead, mediaType } from './head.ts';
import { headFault, wrongAnswer } from './head-fault.ts';
import { EventIntake, type Intake, JsonIntake, TextIntake } from './intake.ts';
import { WholeFromStream } from './mend-stream.ts';
import { StreamFromWhole } from './mend-whole.ts';
import type { Place } from './place.ts';

export interface IntakePlace {
  readonly spec: UpstreamSpec;
  readonly shape: DialectShape;
  readonly place: Place;
}

export function intakeFor(
  head: HttpHead,
  { stream, body: request }: Pick<Call, 'stream' | 'body'>,
  { spec, shape, place }: IntakePlace,
): Intake {
  const { status } = head;
  if (status > 599) throw wrongAnswer(`${status}, which is no status of HTTP: check the baseUrl`, place);
  if (status >= 400) return new TextIntake();
  const fault = headFault(head, place);
  if (fault !== undefined) throw fault;

  const unusable = (words: string) => {
    const wanted = stream ? `a stream of events (${EVENTS_TYPE})` : 'a JSON body';
    return wrongAnswer(`${status} with ${words}, where ${wanted} was asked for`, place);
  };
  const declared = declaredForm(head);
  if (declared === 'html') throw unusable('an HTML body');
  const { eventBytesMax } = spec;
  const parts = { shape, eventBytesMax, place };
  return new FirstBytes(stream && declared === 'events', (seen) => {
    const form = seen === 'unknown' || seen === 'empty' ? declared : seen;
    switch (form) {
      case 'events':
        return stream ? new EventIntake(shape, eventBytesMax, place) : new WholeFromStream(parts);
      case 'json':
        return stream ? new StreamFromWhole(parts, request) : new JsonIntake(head, shape, place);
      case 'html':
        throw unusable('an HTML body');
      case 'empty':
      case 'unknown':
        throw unusable(seen === 'empty' ? 'an empty body' : bodyInWords(head));
    }
  });
}

function declaredForm(head: HttpHead): Form {
  const type = mediaType(head);
  if (type === EVENTS_TYPE) return 'events';
  if (type === 'text/html') return 'html';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : 'unknown';
}
