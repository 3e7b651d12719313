/** A request of the hub as a Responses request. */
import { RESPONSES_CALL_ID_CHARS_MAX } from '../../core/limits.ts';
import { shortCallId } from '../openai/call-id.ts';
import { writeCaller } from '../openai/caller.ts';
import type { HubPart, HubRequest, HubSource, HubTurn } from '../hub.ts';
import type { HubItem, HubMessage } from '../hub-item.ts';
import { present } from '../present.ts';
import { foreignExtras, refuseForeign } from '../refuse.ts';
import { writeFormat, writeToolChoice, writeTools } from './tools.ts';

/** OpenAI refuses a smaller limit. */
const OUTPUT_TOKENS_MIN = 16;

/** Penalties and a seed are left out: OpenAI refuses a request that has them, and they only steer. */
export function writeResponsesRequest(request: HubRequest, model: string): unknown {
  refuseForeign(request, 'responses', 'Responses');
  const hasTools = request.tools.length > 0;
  const { outputTokensMax, reasoning, toolChoice } = request;
  return present({
    model,
    instructions: request.instructions,
    input: request.turns.flatMap(writeTurn),
    stream: request.stream,
    // The default would keep the conversation at the provider.
    store: request.store ?? false,
    tools: hasTools ? writeTools(request.tools) : undefined,
    tool_choice: hasTools && toolChoice !== undefined ? writeToolChoice(toolChoice) : undefined,
    parallel_tool_calls: hasTools ? request.parallelToolCalls : undefined,
    text:
      request.format === undefined && request.verbosity === undefined
        ? undefined
        : present({
            format: request.format === undefined ? undefined : writeFormat(request.format),
            verbosity: request.verbosity,
          }),
    reasoning:
      reasoning === undefined ? undefined : present({ effort: reasoning.effort, summary: reasoning.summary }),
    include: writeInclude(request),
    top_logprobs: request.logprobs?.top,
    max_output_tokens:
      outputTokensMax === undefined ? undefined : Math.max(OUTPUT_TOKENS_MIN, outputTokensMax),
    temperature: request.sampling.temperature,
    top_p: request.sampling.topP,
    metadata: request.metadata,
    ...writeCaller(request),
  });
}

export function leftOutOfResponses(request: HubRequest): readonly string[] {
  const { presencePenalty, frequencyPenalty, seed } = request.sampling;
  return [
    ...(presencePenalty === undefined ? [] : ['presence_penalty']),
    ...(frequencyPenalty === undefined ? [] : ['frequency_penalty']),
    ...(seed === undefined ? [] : ['seed']),
    ...(request.turns.some(hasForeignReasoning) ? ['reasoning_content'] : []),
    ...foreignExtras(request, 'responses'),
  ];
}

/** Reasoning of another provider, or from before it was asked for a blob. */
function hasForeignReasoning(turn: HubTurn): boolean {
  if (turn.role !== 'assistant') return false;
  return turn.items.some((item) => item.kind === 'reasoning' && item.blob === undefined && item.text !== '');
}

function writeInclude(request: HubRequest): readonly string[] | undefined {
  const include = [];
  if (request.logprobs !== undefined) include.push('message.output_text.logprobs');
  if (request.reasoning?.blob === true) include.push('reasoning.encrypted_content');
  return include.length === 0 ? undefined : include;
}

function writeTurn(turn: HubTurn): readonly unknown[] {
  switch (turn.role) {
    case 'assistant':
      return turn.items.flatMap(writeItem);
    case 'tool': {
      const type = turn.kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output';
      return [
        {
          type,
          call_id: shortCallId(turn.callId, RESPONSES_CALL_ID_CHARS_MAX),
          output: writeOutput(turn.parts),
        },
      ];
    }
    default:
      return [{ type: 'message', role: turn.role, content: turn.parts.map(writePart) }];
  }
}

/** Reasoning goes back only with the provider's own blob: OpenAI refuses foreign items. */
function writeItem(item: HubItem): readonly unknown[] {
  switch (item.kind) {
    case 'reasoning':
      if (item.blob?.dialect !== 'responses') return [];
      return [
        {
          type: 'reasoning',
          summary: item.summary.map((text) => ({ type: 'summary_text', text })),
          encrypted_content: item.blob.data,
        },
      ];
    case 'message':
      return [
        present({
          type: 'message',
          role: 'assistant',
          content: item.parts.map(writeSaid),
          phase: item.phase,
        }),
      ];
    case 'call': {
      const { name, namespace, input } = item;
      const call_id = shortCallId(item.callId, RESPONSES_CALL_ID_CHARS_MAX);
      if (item.call === 'custom')
        return [present({ type: 'custom_tool_call', call_id, name, namespace, input })];
      return [present({ type: 'function_call', call_id, name, namespace, arguments: input })];
    }
    case 'hosted':
      return [item.raw];
  }
}

function writeSaid(part: HubMessage['parts'][number]): unknown {
  if (part.kind === 'refusal') return { type: 'refusal', refusal: part.text };
  return { type: 'output_text', text: part.text, annotations: [] };
}

function writeOutput(parts: readonly HubPart[]): unknown {
  const [first] = parts;
  if (first === undefined) return '';
  return parts.length === 1 && first.kind === 'text' ? first.text : parts.map(writePart);
}

function writePart(part: HubPart): unknown {
  switch (part.kind) {
    case 'text':
      return { type: 'input_text', text: part.text };
    case 'image':
      return present({
        type: 'input_image',
        ...writeImageSource(part.source),
        detail: part.detail ?? 'auto',
      });
    case 'file':
      return present({
        type: 'input_file',
        file_data: part.source.kind === 'data' ? part.source.data : undefined,
        file_url: part.source.kind === 'url' ? part.source.url : undefined,
        file_id: part.source.kind === 'id' ? part.source.id : undefined,
        filename: part.filename,
      });
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
  }
}

function writeImageSource(source: HubSource) {
  if (source.kind === 'id') return { file_id: source.id };
  return { image_url: source.kind === 'url' ? source.url : source.data };
}
