/** Streams of upstreams that came too late, by what is special in each. */
import { namedEvent, responsesEvents } from '../support/openai-bodies.ts';

const call = { id: 'call_1', name: 'look', arguments: '{"sequence_number":7,"type":"response.created"}' };
const plain = responsesEvents({ text: ['Hel', 'lo'] });
const [created = '', inProgress = '', ...rest] = plain;

export const SCENES: [string, readonly string[]][] = [
  ['a plain answer', plain],
  ['several events in a chunk', [created + inProgress, rest.join('')]],
  ['a call whose arguments look like events', responsesEvents({ text: ['a'], toolCalls: [call] })],
  [
    'a response that was queued first',
    [created, renamed(inProgress, 'response.queued'), inProgress, ...rest],
  ],
  [
    'a server that repeats `in_progress` to show life',
    [created, inProgress, inProgress, inProgress, ...rest],
  ],
  ['no `in_progress`', [created, ...rest]],
  ['no numbers', plain.map((event) => event.replace(/"sequence_number":\d+,/, ''))],
  [
    'numbers that begin anew',
    plain.map((event) => event.replace(/"sequence_number":\d+/, '"sequence_number":0')),
  ],
  ['its own keepalives', [created, namedEvent({ type: 'keepalive' }), inProgress, ...rest]],
];

function renamed(event: string, type: string): string {
  return event.replaceAll('response.in_progress', type);
}
