/** Which intake a reply gets, by what its head and its first bytes say: a form of no use is a fault of the upstream. */
import type { Call } from '../core/call.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { DialectShape, Mending } from '../dialect/shape.ts';
import { EventIntake } from './event-intake.ts';
import { FirstBytes, type Form } from './first-bytes.ts';
import { bodyInWords, type HttpHead, mediaType } from './head.ts';
import { headFault, wrongAnswer } from './head-fault.ts';
import { type Intake, JsonIntake, TextIntake, type Trim } from './intake.ts';
import type { Place } from './place.ts';
import { StreamFromWhole } from './stream-from-whole.ts';
import { WholeFromStream } from './whole-from-stream.ts';

export interface IntakePlace {
  readonly spec: UpstreamSpec;
  readonly shape: DialectShape;
  readonly place: Place;
  readonly mending: Mending;
  /** For a stream. */
  readonly trim?: Trim | undefined;
}

export function intakeFor(
  head: HttpHead,
  { stream, body: request }: Pick<Call, 'stream' | 'body'>,
  { spec, shape, place, mending, trim }: IntakePlace,
): Intake {
  const { status } = head;
  if (status > 599) throw wrongAnswer(`${status}, which is no status of HTTP: check the baseUrl`, place);
  if (status >= 400) return new TextIntake();
  const fault = headFault(head, place);
  if (fault !== undefined) throw fault;

  const unusable = (words: string) => {
    const wanted = stream ? `a stream of events (${shape.framing.mediaType})` : 'a JSON body';
    return wrongAnswer(`${status} with ${words}, where ${wanted} was asked for`, place);
  };
  const declared = declaredForm(head, shape);
  if (declared === 'html') throw unusable('an HTML body');
  const { eventBytesMax } = spec;
  const parts = { shape, eventBytesMax, place, mending };
  return new FirstBytes(stream && declared === 'events', (seen) => {
    const form = formOf(seen, { declared, stream, shape });
    switch (form) {
      case 'events':
        return stream ? new EventIntake(parts, trim) : new WholeFromStream(parts);
      case 'json':
        return stream ? new StreamFromWhole(parts, request) : new JsonIntake(head, parts);
      case 'html':
        throw unusable('an HTML body');
      case 'empty':
      case 'unknown':
        throw unusable(seen === 'empty' ? 'an empty body' : bodyInWords(head));
    }
  });
}

/** What is seen counts more than what is declared, but where a stream begins as a whole reply does. */
function formOf(
  seen: Form,
  { declared, stream, shape }: { declared: Form; stream: boolean; shape: DialectShape },
): Form {
  if (seen === 'unknown' || seen === 'empty') return declared;
  if (seen !== 'json' || !shape.framing.looksWhole) return seen;
  return declared === 'events' || (declared === 'unknown' && stream) ? 'events' : 'json';
}

function declaredForm(head: HttpHead, { framing }: DialectShape): Form {
  const type = mediaType(head);
  if (type === framing.mediaType) return 'events';
  if (type === 'text/html') return 'html';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : 'unknown';
}
