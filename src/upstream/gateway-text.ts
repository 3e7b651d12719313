/** What OpenClaw's gateway says as the answer of a model when there is none: errors in words, with status 200. Pure. */
import { GATEWAY_ERROR_CHARS_MAX } from '../core/limits.ts';

const STATUSES = [
  '400',
  '401',
  '402',
  '403',
  '404',
  '408',
  '413',
  '422',
  '429',
  '500',
  '502',
  '503',
  '504',
  '529',
];

/** What such texts begin with, and what many a true answer does: it is held until more is known. */
const BEGINNINGS: readonly string[] = [
  '⚠',
  'agent failed',
  'all models failed',
  'api error',
  'api rate limit',
  'connection error',
  'context overflow',
  'error:',
  'http 4',
  'http 5',
  'http error',
  'internal error',
  'llm error',
  'llm request',
  'message ordering conflict',
  'model override',
  'no api key',
  'no response from openclaw',
  'openclaw could not',
  'rate limit',
  'request failed',
  'request timed out',
  'the ai service',
  'unknown model',
  '{"error"',
  '{"type":"error"',
  ...STATUSES.map((status) => `${status} `),
];

/** Sentences of OpenClaw's own that no model would say: errors even where no usage was told. */
const OWN_WORDS: readonly RegExp[] = [
  /^agent failed before reply/i,
  /^all models failed \(/i,
  /^api rate limit reached/i,
  /^context overflow: prompt too large for/i,
  /^error: internal error$/i,
  /^llm error /i,
  /^llm request (failed|rejected|timed out|unauthorized)/i,
  /^message ordering conflict - please try again/i,
  /^no api key found for provider/i,
  /^no response from openclaw\.?$/i,
  /^openclaw could not /i,
  /^the ai service (is temporarily overloaded|returned an error)/i,
  /^.{1,200} returned a billing error/i,
];

const REASONS =
  'bad request|unauthorized|payment required|forbidden|not found|request timeout|too many requests|' +
  'internal server error|bad gateway|service unavailable|gateway timeout|overloaded|status code|\\w+_error';

/** What else an error looks like, where the usage says that no model was asked. Older gateways never count. */
const LOOKS: readonly RegExp[] = [
  /^error: /i,
  new RegExp(`^(http )?[45]\\d\\d *(${REASONS})? *([:({.]|$)`, 'i'),
  /^(api|connection|http|internal) error *([:(.]|$)/i,
  /^rate limit (reached|exceeded)/i,
  /^request (failed|timed out)/i,
  /^(unknown model|model override)\b/i,
  /^\{"(error"|type":"error")/i,
];

/** Of the notices that OpenClaw marks with a sign, those of a failure. */
const FAILURE_NOTICE =
  /^⚠.*(fail|error|limit|overload|capacity|quota|credit|timed out|unavailable|unauthori)/isu;

/** `open` while more text is needed to tell. */
export function beginningOf(text: string): 'error' | 'answer' | 'open' {
  if (text.length > GATEWAY_ERROR_CHARS_MAX) return 'answer';
  const said = text.trimStart().toLowerCase();
  if (BEGINNINGS.some((beginning) => said.startsWith(beginning))) return 'error';
  return BEGINNINGS.some((beginning) => beginning.startsWith(said)) ? 'open' : 'answer';
}

/** Whether the whole text of a reply is an error. */
export function isErrorText(text: string, usage: 'none told' | 'zero' | 'some'): boolean {
  if (usage === 'some' || beginningOf(text) !== 'error') return false;
  const said = text.trim();
  const words = said.replace(/^⚠\ufe0f?\s*/u, '');
  if (OWN_WORDS.some((own) => own.test(words))) return true;
  return usage === 'zero' && (FAILURE_NOTICE.test(said) || LOOKS.some((look) => look.test(words)));
}
