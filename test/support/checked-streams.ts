/**
 * Every stream that a test reads as a client keeps the rules of its API: the readers of tests ask `checkStream` about what
 * they have read. A test file whose streams are no answers at all says so, with the reason.
 */
import { checkChatStream } from './chat-rules.ts';
import { checkResponsesStream } from './responses-rules.ts';
import { clientEvents } from './sse-text.ts';

let exemption: string | undefined;

/** From here on nothing is asked about the streams of this test file. */
export function uncheckedStreams(why: string): void {
  exemption = why;
}

/** Throws where the stream breaks a rule. Of one that was cut only what came is asked about, and not its end. */
export function checkStream(text: string, isWhole: boolean): void {
  if (exemption !== undefined) return;
  const events = clientEvents(isWhole ? text : text.slice(0, text.lastIndexOf('\n\n') + 2));
  const first = events.find((event) => typeof event === 'object' && event !== null);
  if (first === undefined) return;
  if (isResponses(first)) checkResponsesStream(events, isWhole);
  else if (isChat(first)) checkChatStream(events, isWhole);
  else throw new Error(`a stream of no API (tell why by \`uncheckedStreams\`): ${text.slice(0, 200)}`);
}

/**
 * The same for an answer over a WebSocket, which is one where it begins as one and ends well: a failure is one message
 * there, and not an event of the stream with another behind it.
 */
export function checkMessages(messages: readonly { readonly type: string }[]): void {
  if (exemption !== undefined || messages[0]?.type !== 'response.created') return;
  if (/^response\.(completed|incomplete)$/.test(messages.at(-1)?.type ?? '')) checkResponsesStream(messages);
}

function isResponses(event: object): boolean {
  return 'type' in event && /^(response\.|error$|keepalive$)/.test(String(event.type));
}

function isChat(event: object): boolean {
  return ('object' in event && event.object === 'chat.completion.chunk') || 'error' in event;
}
