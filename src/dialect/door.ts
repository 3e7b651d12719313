/** The two doors of foreign JSON: a client's request and a provider's reply. Behind them data has a type. */
import { z } from 'zod';
import { ClawError } from '../core/errors.ts';
import { JSON_DEPTH_MAX } from '../core/limits.ts';
import { isObject, type JsonObject } from '../lib/json.ts';

/** An object that is handed on as it is, not copied: a schema of a tool can be large, and none of our business. */
export const AnyObject = z.custom<JsonObject>(isObject, 'expected an object');

/** JSON as text, which some clients and servers send as the object that it says. */
export const JsonText = z.union([z.string(), AnyObject.transform((value) => JSON.stringify(value))]);

/** A tool that is neither a function nor a custom tool: the provider runs it. */
export const HostedTool = z.custom<JsonObject & { readonly type: string }>((value) => {
  const tool = z.object({ type: z.string() }).safeParse(value);
  return tool.success && tool.data.type !== 'function' && tool.data.type !== 'custom';
}, 'expected a tool with a type');

/** A value that clients send as null where they mean nothing. */
export function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Throws `bad_request` that names the field, as `messages[2].content: expected string`. */
export function readClient<T>(schema: z.ZodType<T>, value: unknown, at = ''): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fault = deepest(result.error.issues, []);
  const param = fieldName(at, fault.path);
  throw new ClawError('bad_request', `${param === '' ? 'body' : param}: ${fault.message}`, {
    ...(param === '' ? {} : { param }),
  });
}

/** Throws `upstream_protocol` for a reply that is not what its dialect says. */
export function readProvider<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fault = deepest(result.error.issues, []);
  const where = fieldName('', fault.path);
  throw new ClawError('upstream_protocol', `the upstream's ${what} is malformed: ${where}: ${fault.message}`);
}

/** The client's JSON. Bounded in depth, so that nothing behind this door can be made to recurse without end. */
export function parseClientJson(body: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new ClawError('invalid_json', 'the request body is not valid JSON', { cause: error });
  }
  if (deeperThan(value, JSON_DEPTH_MAX)) {
    throw new ClawError('bad_request', `the request body is nested more than ${JSON_DEPTH_MAX} levels deep`);
  }
  return value;
}

export function parseProviderJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ClawError('upstream_protocol', `the upstream's ${what} is not valid JSON`, { cause: error });
  }
  if (deeperThan(value, JSON_DEPTH_MAX)) {
    throw new ClawError('upstream_protocol', `the upstream's ${what} is nested too deep`);
  }
  return value;
}

/** Level by level and not by recursion: the value may be as deep as its sender likes. */
function deeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      for (const child of Object.values(item)) {
        if (typeof child === 'object' && child !== null) next.push(child);
      }
    }
    level = next;
  }
  return false;
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of a union's many complaints the one that got furthest is the one about what was meant. */
function deepest(issues: readonly z.core.$ZodIssue[], base: readonly PropertyKey[]): Fault {
  let best: Fault = { path: base, message: 'invalid' };
  for (const issue of issues) {
    const path = [...base, ...issue.path];
    let fault: Fault = { path, message: messageOf(issue) };
    if (issue.code === 'invalid_union') {
      const inner = issue.errors.map((branch) => deepest(branch, path));
      const furthest = inner.reduce<Fault>((a, b) => (b.path.length > a.path.length ? b : a), fault);
      if (furthest !== fault) fault = furthest;
      else if (inner.length > 0) fault = { path, message: joined(inner) };
    }
    if (best.message === 'invalid' || fault.path.length > best.path.length) best = fault;
  }
  return best;
}

function messageOf(issue: z.core.$ZodIssue): string {
  return issue.message.replace(/^Invalid input: /, '').replace(/^Invalid discriminator value\. E/, 'e');
}

/** A branch that has another complaint than the type is the one that was meant. */
function joined(branches: readonly Fault[]): string {
  const expected = branches.map((fault) => /^expected ([^,]+)/.exec(fault.message)?.[1]);
  const at = expected.indexOf(undefined);
  return branches[at]?.message ?? `expected ${expected.join(' or ')}`;
}

function fieldName(at: string, path: readonly PropertyKey[]): string {
  let name = at;
  for (const step of path) {
    if (typeof step === 'number') name += `[${step}]`;
    else name += name === '' ? String(step) : `.${String(step)}`;
  }
  return name;
}
