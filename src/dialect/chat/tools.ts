/** What a Chat Completions request says of tools, of their choice and of the answer's format: both ways. */
import type { HubFormat, HubGrammar, HubTool, HubToolChoice, HubToolName } from '../hub.ts';
import { present } from '../present.ts';
import type { ChatRequest, Tool, ToolName } from './request-wire.ts';

export function readTools(wire: ChatRequest): readonly HubTool[] {
  const search = wire.web_search_options;
  return [
    ...(wire.tools ?? []).map(readTool),
    ...(wire.functions ?? []).map((tool): HubTool => ({ kind: 'function', ...present(tool) })),
    ...(search === undefined ? [] : [webSearch(search)]),
  ];
}

export function readToolChoice(wire: ChatRequest): HubToolChoice | undefined {
  const choice = wire.tool_choice ?? wire.function_call;
  if (choice === undefined) return undefined;
  if (typeof choice === 'string') return { kind: choice };
  if (!('type' in choice)) return { kind: 'function', name: choice.name };
  if (choice.type !== 'allowed_tools') return readToolName(choice);
  const { mode, tools } = choice.allowed_tools;
  return { kind: 'allowed', required: mode === 'required', tools: tools.map(readToolName) };
}

export function readFormat(wire: ChatRequest): HubFormat | undefined {
  const format = wire.response_format;
  if (format === undefined) return undefined;
  if (format.type === 'text') return { kind: 'text' };
  if (format.type === 'json_object') return { kind: 'json' };
  const { name, schema, ...rest } = format.json_schema;
  return { kind: 'schema', name: name ?? 'response', schema: schema ?? {}, ...present(rest) };
}

/**
 * Of the tools those that the client allows: few servers know `allowed_tools`, all know a shorter list.
 * Tools that the provider runs are left out, as no chat server has them.
 */
export function writeTools(tools: readonly HubTool[], choice: HubToolChoice | undefined): readonly unknown[] {
  const written = [];
  for (const tool of tools) {
    if (tool.kind === 'hosted' || (choice?.kind === 'allowed' && !isAllowed(tool, choice.tools))) continue;
    if (tool.kind === 'function') {
      const { kind, parameters, ...rest } = tool;
      written.push({
        type: kind,
        function: { ...rest, parameters: parameters ?? { type: 'object', properties: {} } },
      });
    } else {
      const { kind, format, ...rest } = tool;
      written.push({
        type: kind,
        custom: { ...rest, ...(format === undefined ? {} : { format: writeGrammar(format) }) },
      });
    }
  }
  return written;
}

/** A choice among the provider's own tools has nothing left to choose. */
export function writeToolChoice(choice: HubToolChoice): unknown {
  switch (choice.kind) {
    case 'function':
      return { type: 'function', function: { name: choice.name } };
    case 'custom':
      return { type: 'custom', custom: { name: choice.name } };
    case 'allowed':
      return choice.required ? 'required' : 'auto';
    case 'hosted':
      return 'auto';
    default:
      return choice.kind;
  }
}

export function writeFormat(format: HubFormat): unknown {
  if (format.kind === 'text') return { type: 'text' };
  if (format.kind === 'json') return { type: 'json_object' };
  const { kind, ...schema } = format;
  return { type: `json_${kind}`, json_schema: schema };
}

function readTool(tool: Tool): HubTool {
  if (tool.type === 'hosted') return { kind: 'hosted', type: tool.raw.type, raw: tool.raw };
  if (tool.type === 'function') return { kind: 'function', ...present(tool.function) };
  const { format, ...rest } = tool.custom;
  if (format === undefined) return { kind: 'custom', ...present(rest) };
  const grammar: HubGrammar =
    format.type === 'text' ? { kind: 'text' } : { kind: 'grammar', ...format.grammar };
  return { kind: 'custom', ...present(rest), format: grammar };
}

function readToolName(tool: ToolName): HubToolName {
  if (tool.type === 'function') return { kind: 'function', name: tool.function.name };
  return { kind: 'custom', name: tool.custom.name };
}

function webSearch(options: NonNullable<ChatRequest['web_search_options']>): HubTool {
  const place = options.user_location?.approximate;
  const raw = present({
    type: 'web_search',
    search_context_size: options.search_context_size,
    user_location: place === undefined ? undefined : { type: 'approximate', ...present(place) },
  });
  return { kind: 'hosted', type: 'web_search', raw };
}

function writeGrammar(format: HubGrammar): unknown {
  if (format.kind === 'text') return { type: 'text' };
  return { type: 'grammar', grammar: { syntax: format.syntax, definition: format.definition } };
}

function isAllowed(tool: HubTool, allowed: readonly HubToolName[]): boolean {
  return allowed.some((one) => one.kind !== 'hosted' && tool.kind === one.kind && tool.name === one.name);
}
