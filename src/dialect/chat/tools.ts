/** What a Chat Completions request says of tools, of their choice and of the answer's format: both ways. */
import type { HubFormat, HubGrammar, HubTool, HubToolChoice, HubToolName } from '../hub.ts';
import { present } from '../present.ts';
import type { ChatRequest, Tool, ToolName } from './request-wire.ts';

export function readTools(wire: ChatRequest): readonly HubTool[] {
  const search = wire.web_search_options;
  return [
    ...(wire.tools ?? []).map((tool, index) => readTool(tool, `tools[${index}]`)),
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
  if (format.type === 'json_object' && format.schema === undefined) return { kind: 'json' };
  const said = format.type === 'json_schema' ? format.json_schema : undefined;
  const { name = 'response', schema = format.schema ?? {}, ...rest } = said ?? {};
  return { kind: 'schema', name, schema, ...present(rest) };
}

/** Hosted tools and namespaces have no form here: what can be made of them was made before. */
export function writeTools(tools: readonly HubTool[]): readonly unknown[] {
  return tools.flatMap((tool): readonly unknown[] => {
    if (tool.kind === 'hosted' || tool.kind === 'namespace') return [];
    const { kind: type, name, description } = tool;
    if (tool.kind === 'custom') {
      const format = tool.format === undefined ? undefined : writeGrammar(tool.format);
      return [{ type, custom: present({ name, description, format }) }];
    }
    const { parameters = { type: 'object', properties: {} }, strict } = tool;
    return [{ type, function: present({ name, description, parameters, strict }) }];
  });
}

/** A choice among the provider's own tools has nothing left to choose. */
export function writeToolChoice(choice: HubToolChoice): unknown {
  switch (choice.kind) {
    case 'function':
    case 'custom':
      return writeToolName(choice);
    case 'allowed': {
      const tools = choice.tools.map(writeToolName).filter((name) => name !== undefined);
      return {
        type: 'allowed_tools',
        allowed_tools: { mode: choice.required ? 'required' : 'auto', tools },
      };
    }
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

function readTool(tool: Tool, param: string): HubTool {
  if (tool.type === 'hosted') return { kind: 'hosted', type: tool.raw.type, raw: tool.raw, param };
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

function writeToolName(tool: HubToolName): unknown {
  if (tool.kind === 'hosted') return undefined;
  return { type: tool.kind, [tool.kind]: { name: tool.name } };
}

function webSearch(options: NonNullable<ChatRequest['web_search_options']>): HubTool {
  const place = options.user_location?.approximate;
  const raw = present({
    type: 'web_search',
    search_context_size: options.search_context_size,
    user_location: place === undefined ? undefined : { type: 'approximate', ...present(place) },
  });
  return { kind: 'hosted', type: 'web_search', raw, param: 'web_search_options' };
}

function writeGrammar(format: HubGrammar): unknown {
  if (format.kind === 'text') return { type: 'text' };
  return { type: 'grammar', grammar: { syntax: format.syntax, definition: format.definition } };
}
