/** What a Responses request says of tools, of their choice and of the answer's format: both ways. */
import type { HubFormat, HubTool, HubToolChoice, HubToolName } from '../hub.ts';
import { present } from '../present.ts';
import type { ResponsesRequest, Tool, ToolName } from './request-wire.ts';

export function readTools(wire: ResponsesRequest): readonly HubTool[] {
  return (wire.tools ?? []).map(readTool);
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

/** `strict` is always written: OpenAI takes its absence for true, other dialects for false. */
export function writeTools(tools: readonly HubTool[]): readonly unknown[] {
  return tools.map((tool) => {
    if (tool.kind === 'hosted') return tool.raw;
    const { kind, ...rest } = tool;
    if (tool.kind === 'custom') {
      const { format } = tool;
      const wire = format?.kind === 'grammar' ? writeGrammar(format) : { type: 'text' };
      return { type: kind, ...rest, ...(format === undefined ? {} : { format: wire }) };
    }
    return { type: kind, ...rest, parameters: tool.parameters ?? null, strict: tool.strict ?? false };
  });
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

function readTool(tool: Tool): HubTool {
  if (tool.type === 'hosted') return { kind: 'hosted', type: tool.raw.type, raw: tool.raw };
  if (tool.type === 'function') {
    const { type: kind, ...rest } = tool;
    return { kind, ...present(rest) };
  }
  const { type: kind, format, ...rest } = tool;
  if (format === undefined) return { kind, ...present(rest) };
  if (format.type === 'text') return { kind, ...present(rest), format: { kind: 'text' } };
  const { syntax, definition } = format;
  return { kind, ...present(rest), format: { kind: 'grammar', syntax, definition } };
}

function readToolName(tool: ToolName): HubToolName {
  return tool.type === 'hosted' ? { kind: 'hosted', raw: tool.raw } : { kind: tool.type, name: tool.name };
}

function writeToolName(tool: HubToolName): unknown {
  return tool.kind === 'hosted' ? tool.raw : { type: tool.kind, name: tool.name };
}

function writeGrammar(format: { readonly syntax: string; readonly definition: string }) {
  return { type: 'grammar', syntax: format.syntax, definition: format.definition };
}
