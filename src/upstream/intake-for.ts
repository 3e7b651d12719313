/** Which intake a reply gets, by what its head says: a form that cannot be used is a fault of the upstream. */
import { ClawError } from '../core/errors.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { DialectShape } from '../dialect/shape.ts';
import { bodyInWords, EVENTS_TYPE, foreignCoding, type HttpHead, mediaType } from './head.ts';
import { EventIntake, type Intake, JsonIntake, TextIntake } from './intake.ts';
import type { Place } from './place.ts';

export interface IntakePlace {
  readonly spec: UpstreamSpec;
  readonly shape: DialectShape;
  readonly place: Place;
}

/** What the head alone decides: a form that was not asked for is a fault of the upstream. */
export function intakeFor(head: HttpHead, stream: boolean, { spec, shape, place }: IntakePlace): Intake {
  const wrong = (text: string) =>
    new ClawError('upstream_protocol', place.say(`the upstream answered ${text}`));
  const { status } = head;
  if (status > 599) throw wrong(`${status}, which is no status of HTTP: check the baseUrl`);
  if (status >= 400) return new TextIntake();
  if (status >= 300)
    throw wrong(
      `${status}, a redirect${whereTo(head, place)}: redirects are not followed; correct the baseUrl`,
    );
  const coding = foreignCoding(head);
  if (coding !== undefined)
    throw wrong(`with a body coded as ${coding.slice(0, 32)}, which was not asked for`);
  const isEvents = mediaType(head) === EVENTS_TYPE;
  if (isEvents !== stream || mediaType(head) === 'text/html') {
    const wanted = stream ? `a stream of events (${EVENTS_TYPE})` : 'a JSON body';
    throw wrong(`${status} with ${bodyInWords(head)}, where ${wanted} was asked for`);
  }
  return stream ? new EventIntake(shape, spec.eventBytesMax, place) : new JsonIntake(head, shape, place);
}

/** Only the origin: the rest of a redirect's target may hold a token. */
function whereTo({ headers: { location } }: HttpHead, place: Place): string {
  if (location === undefined || !URL.canParse(location, place.origin)) return '';
  return ` to ${new URL(location, place.origin).origin}`;
}
