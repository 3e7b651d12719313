/** What a Response object repeats of its request, with OpenAI's defaults where the client said nothing. */
import type { HubRequest, HubTool } from '../hub.ts';
import { writeFormat, writeToolChoice } from './tools.ts';

/** Numbers are never null and tools are functions alone: stricter clients refuse the object otherwise. */
export function echoOf(request: HubRequest | undefined) {
  const reasoning = request?.reasoning;
  const extra = (param: string) => request?.extras.find((one) => one.param === param)?.value;
  const toolCalls = extra('max_tool_calls');
  return {
    instructions: request?.instructions ?? null,
    previous_response_id: request?.continues ?? null,
    tools: (request?.tools ?? []).flatMap(echoTool),
    tool_choice: request?.toolChoice === undefined ? 'auto' : writeToolChoice(request.toolChoice),
    parallel_tool_calls: request?.parallelToolCalls ?? true,
    truncation: 'disabled',
    text: {
      format: writeFormat(request?.format ?? { kind: 'text' }),
      ...(request?.verbosity === undefined ? {} : { verbosity: request.verbosity }),
    },
    temperature: request?.sampling.temperature ?? 1,
    top_p: request?.sampling.topP ?? 1,
    presence_penalty: request?.sampling.presencePenalty ?? 0,
    frequency_penalty: request?.sampling.frequencyPenalty ?? 0,
    top_logprobs: request?.logprobs?.top ?? 0,
    reasoning: { effort: reasoning?.effort ?? null, summary: reasoning?.summary ?? null },
    max_output_tokens: request?.outputTokensMax ?? null,
    max_tool_calls: typeof toolCalls === 'number' ? toolCalls : null,
    store: request?.store ?? true,
    background: false,
    service_tier: request?.serviceTier ?? 'default',
    metadata: request?.metadata ?? {},
    safety_identifier: request?.safetyIdentifier ?? null,
    prompt_cache_key: request?.promptCacheKey ?? null,
    user: request?.user ?? null,
  };
}

function echoTool(tool: HubTool) {
  if (tool.kind !== 'function') return [];
  return [
    {
      type: 'function',
      name: tool.name,
      description: tool.description ?? null,
      parameters: tool.parameters ?? null,
      strict: tool.strict ?? null,
    },
  ];
}
