/** A whole Chat Completions reply: into the hub and out of it. */
import { z } from 'zod';
import { ClawError } from '../../core/errors.ts';
import { ERROR_WORD_CHARS_MAX } from '../../core/limits.ts';
import { maybe, readProvider } from '../door.ts';
import { readFailure } from '../failure.ts';
import type { HubAnswer, HubReply } from '../hub.ts';
import type { HubAnnotation, HubCall, HubItem, HubLogprob } from '../hub-item.ts';
import { present } from '../present.ts';
import type { DialectTools, WriteContext } from '../shape.ts';
import { imageOfItem } from './foreign-items.ts';
import { imagesOf, transcriptOf } from './media.ts';
import { reasoningOf, ReasoningTrace, writeForeignBlob } from './reasoning.ts';
import { CHOICE_WIRE, REPLY_WIRE } from './reply-wire.ts';
import { ENDED_BY_ERROR, isKnownFinish, readFinish, readUsage, writeFinish, writeUsage } from './ending.ts';
import {
  moved,
  textOf,
  thinkingOf,
  type WireCall,
  type WireLogprobs,
  WireSaid,
  writeAnnotation,
  writeLogprobs,
} from './said-wire.ts';
import { writeCall } from './write-request.ts';

type Logprobs = z.infer<typeof WireLogprobs>;

const WireReply = z.object({
  ...REPLY_WIRE,
  choices: maybe(z.array(z.object({ ...CHOICE_WIRE, message: WireSaid }))),
});

/** Some servers answer 200 with an error in the body. */
export function readChatReply(reply: unknown, tools: DialectTools): HubReply {
  const wire = readProvider(WireReply, reply, 'reply');
  if (wire.object === 'error') return failed(wire.error || reply);
  const choice = wire.choices?.find(({ index }) => (index ?? 0) === 0) ?? wire.choices?.[0];
  if (wire.error || choice === undefined)
    return failed(wire.error ?? 'the upstream answered without a choice');
  const ending = readFinish(choice.finish_reason ?? 'stop', callsOf(choice.message).length > 0);
  if (ending === 'error') return failed(choice.error || ENDED_BY_ERROR);
  noteLosses(choice.finish_reason, choice.logprobs, tools);
  const usage = wire.usage ?? choice.usage;
  const reading = { cut: ending === 'length' || ending === 'filter', tools };
  return {
    kind: 'answer',
    items: readSaid(choice.message, choice.logprobs?.content ?? [], reading),
    ending,
    ...present({
      usage: usage === undefined ? undefined : readUsage(usage),
      serviceTier: wire.service_tier,
    }),
  };
}

export function writeChatReply(answer: HubAnswer, context: WriteContext): unknown {
  const { message, logprobs } = writeMessage(answer, context);
  return present({
    id: context.tools.randomId('chatcmpl-'),
    object: 'chat.completion',
    created: Math.floor(context.tools.wall() / 1000),
    model: context.model,
    choices: [
      { index: 0, message, logprobs, finish_reason: writeFinish(answer.ending, context.request.singleCall) },
    ],
    usage: answer.usage === undefined ? undefined : writeUsage(answer.usage),
    service_tier: answer.serviceTier,
  });
}

function failed(error: unknown): HubReply {
  return { kind: 'failed', failure: readFailure(error) };
}

interface Reading {
  /** Ended by a limit or a filter: the last item lacks something. */
  readonly cut: boolean;
  readonly tools: DialectTools;
}

function readSaid(said: WireSaid, logprobs: readonly HubLogprob[], reading: Reading): readonly HubItem[] {
  const items: HubItem[] = [];
  const reasoned = { ...said, thinking: thinkingOf(said) };
  const reasoning = reasoningOf(reasoned);
  const trace = new ReasoningTrace();
  trace.add(reasoned);
  const { blob } = trace;
  if (reasoning !== '' || blob !== undefined)
    items.push({ kind: 'reasoning', summary: [], text: reasoning, ...present({ blob }) });

  const text = textOf(said) + transcriptOf(said, reading.tools);
  const calls = callsOf(said);
  const parts = [];
  if (text !== '') parts.push({ kind: 'text', text, annotations: said.annotations ?? [], logprobs } as const);
  if (said.refusal) parts.push({ kind: 'refusal', text: said.refusal } as const);
  if (parts.length > 0)
    items.push({ kind: 'message', parts, complete: !(reading.cut && calls.length === 0) });
  items.push(...imagesOf(said, reading.tools));

  calls.forEach((call, index) => {
    const { arguments: input } = call.function ?? {};
    const name = call.custom?.name || call.function?.name;
    if (!name)
      throw new ClawError('upstream_protocol', 'the upstream answered with a tool call without a name');
    items.push({
      kind: 'call',
      callId: call.id || reading.tools.randomId('call_'),
      complete: !(reading.cut && index === calls.length - 1),
      ...(call.custom === undefined
        ? { call: 'function', name, input: input || '{}' }
        : { call: 'custom', name, input: call.custom.input ?? '' }),
    });
  });
  return items;
}

function noteLosses(finish: string | undefined, logprobs: Logprobs, tools: DialectTools): void {
  if (finish && !isKnownFinish(finish))
    tools.note(`the finish reason "${finish.slice(0, ERROR_WORD_CHARS_MAX)}"`);
  if (logprobs?.refusal?.length) tools.note('the logprobs of a refusal');
}

function callsOf(said: WireSaid): readonly Omit<WireCall, 'index'>[] {
  if (said.tool_calls !== undefined && said.tool_calls.length > 0) return said.tool_calls;
  if (said.function_call === undefined) return [];
  return [{ id: undefined, type: 'function', function: said.function_call, custom: undefined }];
}

function writeMessage({ items, ending }: HubAnswer, { tools, provider, request }: WriteContext) {
  let content = '';
  let refusal = '';
  let phase: string | undefined;
  const reasoning: string[] = [];
  const details: unknown[] = [];
  const images: unknown[] = [];
  const calls: HubCall[] = [];
  const annotations: HubAnnotation[] = [];
  const logprobs: HubLogprob[] = [];
  for (const item of items) {
    if (item.kind === 'reasoning') {
      const text = item.summary.length > 0 ? item.summary.join('\n\n') : item.text;
      if (text !== '') reasoning.push(text);
      const detail = writeForeignBlob(item.blob, provider, details.length);
      if (detail !== undefined) details.push(detail);
    } else if (item.kind === 'hosted') {
      const image = imageOfItem(item, tools);
      if (image !== undefined) images.push(image);
    } else if (item.kind === 'call') {
      // Arguments that were cut cannot be parsed. But some servers leave the status of a whole call as it was.
      if (item.complete || ending === 'calls') calls.push(item);
    } else {
      if (content !== '' && item.phase !== phase) content += '\n\n';
      phase = item.phase;
      for (const part of item.parts) {
        if (part.kind === 'refusal') {
          refusal += part.text;
          continue;
        }
        const offset = content.length;
        content += part.text;
        logprobs.push(...part.logprobs);
        annotations.push(...part.annotations.map((one) => moved(one, offset)));
      }
    }
  }
  const shown = annotations.map(writeAnnotation).filter((one) => one !== undefined);
  const message = present({
    role: 'assistant',
    content: content === '' && (calls.length > 0 || refusal !== '') ? null : content,
    refusal: refusal === '' ? null : refusal,
    reasoning_content: reasoning.length === 0 ? undefined : reasoning.join('\n\n'),
    reasoning_details: listed(details),
    ...(request.singleCall === true
      ? singleCall(calls, tools)
      : { tool_calls: listed(calls.map(writeCall)) }),
    annotations: listed(shown),
    images: listed(images),
  });
  return { message, logprobs: logprobs.length === 0 ? null : writeLogprobs(logprobs) };
}

/** For clients that knew calls before there were tools. */
function singleCall([first, ...others]: readonly HubCall[], tools: DialectTools) {
  if (others.length > 0) tools.note('further tool calls, which this client cannot read');
  const { name, input } = first ?? {};
  return { function_call: name === undefined ? undefined : { name, arguments: input } };
}

/** An empty list is left out: some clients take its presence for something. */
function listed(list: readonly unknown[]): readonly unknown[] | undefined {
  return list.length === 0 ? undefined : list;
}
