/** The messages of a Chat Completions request as their server takes them. Parsed only where a search says that it pays. */
import { ClawError } from '../../core/errors.ts';
import { FOREIGN_BLOB_BEGINS, isForeignBlob } from '../../dialect/chat/reasoning.ts';
import { isObject, type JsonObject } from '../../lib/json.ts';
import type { Fitting } from './fitting.ts';

const DEVELOPER = Buffer.from('"developer"');
const ASSISTANT = Buffer.from('"assistant"');
/** Where reasoning is found: in this order the first that is a text. */
const REASONING = ['reasoning_content', 'reasoning', 'reasoning_text'] as const;
/** Each of them begins so: one search for all. */
const REASONING_BEGINS = Buffer.from('"reasoning');
const DETAILS = 'reasoning_details';
const OWN_KEYS = new Set(['role', 'content', 'tool_calls', 'tool_call_id']);

/** One message, the very same where nothing of it changes. `at` is its place in the list. */
type FitMessage = (message: JsonObject, at: number) => JsonObject;

export function fitMessages(fitting: Fitting): void {
  const fits = neededFits(fitting);
  if (fits.length === 0) return;
  const messages = fitting.members.value('messages');
  if (!Array.isArray(messages)) return;
  const fitted: unknown[] = messages.map((message: unknown, at) =>
    isObject(message) ? fits.reduce((one, fit) => fit(one, at), message) : message,
  );
  if (fitted.some((message, at) => message !== messages[at])) fitting.members.set('messages', fitted);
}

function neededFits(fitting: Fitting): readonly FitMessage[] {
  const { compat } = fitting;
  const has = (bytes: Buffer) => fitting.mentions('messages', bytes);
  const fits: FitMessage[] = [];
  if (compat.supportsDeveloperRole === false && has(DEVELOPER)) fits.push(asSystem);
  if (has(FOREIGN_BLOB_BEGINS)) fits.push((message) => withoutForeignBlobs(message, fitting));
  const { reasoningField } = compat;
  if (reasoningField !== undefined && has(REASONING_BEGINS))
    fits.push(
      reasoningField === 'none'
        ? (message) => withoutReasoning(message, fitting)
        : (message) => withReasoningAs(message, reasoningField),
    );
  if (compat.requiresReasoningContentOnAssistantMessages === true && has(ASSISTANT))
    fits.push((message) => withSomeReasoning(message, reasoningField));
  // A list of parts is what nearly every client sends sooner or later: there is nothing to search for.
  if (compat.requiresStringContent === true) fits.push(asText);
  if (compat.strictMessageKeys === true) fits.push(withOwnKeys);
  return fits;
}

function asSystem(message: JsonObject): JsonObject {
  return message.role === 'developer' ? { ...message, role: 'system' } : message;
}

/** A conversation that moved here from a server of another dialect, in which we gave its client that server's blobs. */
function withoutForeignBlobs(message: JsonObject, fitting: Fitting): JsonObject {
  const { [DETAILS]: details, ...others } = message;
  if (!Array.isArray(details) || !details.some(isForeignBlob)) return message;
  fitting.tell(`messages.${DETAILS}`);
  const own: readonly unknown[] = details.filter((detail) => !isForeignBlob(detail));
  return own.length === 0 ? others : { ...message, [DETAILS]: own };
}

function withoutReasoning(message: JsonObject, fitting: Fitting): JsonObject {
  const names = [...REASONING, DETAILS].filter((name) => Object.hasOwn(message, name));
  if (message.role !== 'assistant' || names.length === 0) return message;
  for (const name of names) if (message[name]) fitting.tell(`messages.${name}`);
  return Object.fromEntries(Object.entries(message).filter(([name]) => !names.some((one) => one === name)));
}

function withReasoningAs(message: JsonObject, field: string): JsonObject {
  if (message.role !== 'assistant' || typeof message[field] === 'string') return message;
  const from = REASONING.find((name) => typeof message[name] === 'string');
  if (from === undefined) return message;
  const others = Object.entries(message).filter(([name]) => name !== field);
  return Object.fromEntries(others.map(([name, value]) => [name === from ? field : name, value]));
}

function withSomeReasoning(message: JsonObject, field = 'reasoning_content'): JsonObject {
  if (message.role !== 'assistant' || typeof message[field] === 'string') return message;
  return { ...message, [field]: '' };
}

/** A line each: that is how servers that take both join them. */
function asText(message: JsonObject, at: number): JsonObject {
  const { content } = message;
  if (!Array.isArray(content)) return message;
  const texts = content.map((part: unknown, index) => {
    if (isObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
    const param = `messages[${at}].content[${index}]`;
    const kind = isObject(part) && typeof part.type === 'string' ? part.type.slice(0, 64) : 'no text';
    throw new ClawError(
      'unsupported_parameter',
      `${param} is ${kind}: the server of this model takes text alone ("requiresStringContent")`,
      { param },
    );
  });
  return { ...message, content: texts.join('\n') };
}

function withOwnKeys(message: JsonObject): JsonObject {
  const own = Object.entries(message).filter(([name]) => OWN_KEYS.has(name));
  return own.length === Object.keys(message).length ? message : Object.fromEntries(own);
}
