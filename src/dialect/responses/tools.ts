/** What a Responses request says of tools, of their choice and of the answer's format: both ways. */
import type { HubFormat, HubGrammar, HubNamespace, HubTool, HubToolChoice, HubToolName } from '../hub.ts';
import { present } from '../present.ts';
import type { ResponsesRequest, Tool, ToolInside, ToolName } from './request-wire.ts';

/** `at`: the list's own place in the request. */
export function readTools(tools: readonly Tool[] | undefined, at: string): readonly HubTool[] {
  return (tools ?? []).map((tool, index) => readTool(tool, `${at}[${index}]`));
}

export function readToolChoice(wire: ResponsesRequest): HubToolChoice | undefined {
  const choice = wire.tool_choice;
  if (choice === undefined) return undefined;
  if (typeof choice === 'string') return { kind: choice };
  if (choice.type !== 'allowed_tools') return readToolName(choice);
  return {
    kind: 'allowed',
    required: choice.mode === 'required',
    tools: choice.tools.map(readToolName),
  };
}

export function readFormat(wire: ResponsesRequest): HubFormat | undefined {
  const format = wire.text?.format;
  if (format === undefined) return undefined;
  if (format.type === 'text') return { kind: 'text' };
  if (format.type === 'json_object') return { kind: 'json' };
  const { type: _, name, schema, ...rest } = format;
  return { kind: 'schema', name: name ?? 'response', schema: schema ?? {}, ...present(rest) };
}

/** Those that were handed in on the way are in the items that did it. */
export function writeTools(tools: readonly HubTool[]): readonly unknown[] {
  return tools.map(writeTool);
}

export function writeToolChoice(choice: HubToolChoice): unknown {
  switch (choice.kind) {
    case 'allowed':
      return {
        type: 'allowed_tools',
        mode: choice.required ? 'required' : 'auto',
        tools: choice.tools.map(writeToolName),
      };
    case 'function':
    case 'custom':
    case 'hosted':
      return writeToolName(choice);
    default:
      return choice.kind;
  }
}

export function writeFormat(format: HubFormat) {
  if (format.kind === 'text') return { type: 'text' };
  if (format.kind === 'json') return { type: 'json_object' };
  const { kind, ...schema } = format;
  return { type: `json_${kind}`, ...schema };
}

function readTool(tool: Tool, at: string): HubTool {
  if (tool.type !== 'namespace') return readInside(tool, at);
  const { type: kind, name, description, tools } = tool;
  const inside = tools.map((one, index) => readInside(one, `${at}.tools[${index}]`));
  return { kind, name, ...present({ description }), tools: inside };
}

function readInside(tool: ToolInside, param: string): HubNamespace['tools'][number] {
  if (tool.type === 'hosted') return { kind: 'hosted', type: tool.raw.type, raw: tool.raw, param };
  if (tool.type === 'function') {
    const { type: kind, defer_loading: deferred, ...rest } = tool;
    return { kind, ...present({ ...rest, deferred }) };
  }
  const { type: kind, format, defer_loading: deferred, ...rest } = tool;
  const common = { kind, ...present({ ...rest, deferred }) };
  if (format === undefined) return common;
  if (format.type === 'text') return { ...common, format: { kind: 'text' } };
  const { syntax, definition } = format;
  return { ...common, format: { kind: 'grammar', syntax, definition } };
}

/** `strict` is always written: OpenAI takes its absence for true, other dialects for false. */
function writeTool(tool: HubTool): unknown {
  if (tool.kind === 'hosted') return tool.raw;
  if (tool.kind === 'namespace') {
    const { kind: type, name, description, tools } = tool;
    return { type, name, ...present({ description }), tools: tools.map(writeTool) };
  }
  const { kind: type, name, description, deferred: defer_loading } = tool;
  if (tool.kind === 'custom') {
    const format = tool.format === undefined ? undefined : writeGrammar(tool.format);
    return present({ type, name, description, format, defer_loading });
  }
  const { parameters = null, strict = false } = tool;
  return present({ type, name, description, parameters, strict, defer_loading });
}

function readToolName(tool: ToolName): HubToolName {
  if (tool.type === 'hosted') return { kind: 'hosted', raw: tool.raw };
  const { type: kind, name, namespace } = tool;
  return { kind, name, ...present({ namespace }) };
}

function writeToolName(tool: HubToolName): unknown {
  if (tool.kind === 'hosted') return tool.raw;
  const { kind: type, name, namespace } = tool;
  return present({ type, name, namespace });
}

function writeGrammar(format: HubGrammar): unknown {
  if (format.kind === 'text') return { type: 'text' };
  return { type: 'grammar', syntax: format.syntax, definition: format.definition };
}
