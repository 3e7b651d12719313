/** What the head of a reply alone shows to be of no use, whatever was asked for: a redirect, a body that is coded. Pure. */
import { ClawError } from '../core/errors.ts';
import { foreignCoding, type HttpHead } from './head.ts';
import type { Place } from './place.ts';

/** For a status below 400: a refusal is told in the upstream's own words. */
export function headFault(head: HttpHead, place: Place): ClawError | undefined {
  if (head.status >= 300)
    return wrongAnswer(
      `${head.status}, a redirect${whereTo(head, place)}: redirects are not followed; correct the baseUrl`,
      place,
    );
  const coding = foreignCoding(head);
  if (coding === undefined) return undefined;
  return wrongAnswer(`with a body coded as ${coding.slice(0, 32)}, which was not asked for`, place);
}

/** `what` follows "the upstream answered". */
export function wrongAnswer(what: string, place: Place): ClawError {
  return new ClawError('upstream_protocol', place.say(`the upstream answered ${what}`));
}

/** Only the origin: the rest of a redirect's target may hold a token. */
function whereTo({ headers: { location } }: HttpHead, place: Place): string {
  if (location === undefined || !URL.canParse(location, place.origin)) return '';
  return ` to ${new URL(location, place.origin).origin}`;
}
