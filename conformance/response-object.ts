/** The Response object that a translated answer must have, member by member, from what its client asked. */
import { isObject } from './difference.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the case says of it goes over what follows from the request. */
export function expectedResponse(request: Json, state: Json): Json {
  const status = state.status;
  return {
    id: '<resp>',
    object: 'response',
    created_at: '<created>',
    completed_at: status === 'completed' ? '<int>' : null,
    incomplete_details: null,
    model: '<model>',
    output: [],
    error: null,
    usage: null,
    // What failed may have been told by a node that has not read the request.
    ...(status === 'failed' ? { ...anything(echo(request)), output: '<any>' } : echo(request)),
    ...state,
  };
}

/** Numbers are never null and tools are functions alone, as stricter clients refuse the object otherwise. */
function echo(request: Json): Json {
  const text = isObject(request.text) ? request.text : {};
  const reasoning = isObject(request.reasoning) ? request.reasoning : {};
  return {
    previous_response_id: request.previous_response_id ?? null,
    instructions: request.instructions ?? null,
    tools: (Array.isArray(request.tools) ? request.tools : []).filter(isFunction).map(echoedTool),
    tool_choice: request.tool_choice ?? 'auto',
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    truncation: 'disabled',
    text: { ...text, format: text.format ?? { type: 'text' } },
    temperature: request.temperature ?? 1,
    top_p: request.top_p ?? 1,
    presence_penalty: request.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? 0,
    top_logprobs: request.top_logprobs ?? 0,
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    store: request.store ?? true,
    background: false,
    service_tier: request.service_tier ?? 'default',
    metadata: request.metadata ?? {},
    safety_identifier: request.safety_identifier ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    user: request.user ?? null,
  };
}

function echoedTool(tool: Json): Json {
  const { name, description = null, parameters = null, strict = null } = tool;
  return { type: 'function', name, description, parameters, strict };
}

function isFunction(tool: unknown): tool is Json {
  return isObject(tool) && tool.type === 'function';
}

function anything(json: Json): Json {
  return Object.fromEntries(Object.keys(json).map((key) => [key, '<any>']));
}
