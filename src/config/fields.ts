/** The kinds of value that the configuration is made of, each with the rule that it must keep. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { asNodeId } from '../core/ids.ts';
import { NODE_NAME_CHARS_MAX } from '../core/limits.ts';
import { bareHost } from '../lib/host.ts';
import { nearest } from '../lib/nearest.ts';
import { NETWORK_KEY_FAULT, networkKeyOf } from './network-key.ts';
import type { ReadSecret, SecretFound } from './secrets.ts';

/** An object that refuses unknown keys and names the known one that was meant. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, known)).join('\n')
        : undefined,
  });
}

// Without the key itself: it is the end of the fault's path.
function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`;
  return `unknown key; ${hint}`;
}

/** How a secret is written. */
export const secretForm = z.union([
  z.string(),
  strict({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
      .optional()
      .describe('The environment variable that holds it.'),
    file: z
      .string()
      .min(1, 'expected a path')
      .optional()
      .describe('The file that holds it, mode 0600; relative to this one.'),
  }),
]);

export async function readForm(form: z.output<typeof secretForm>, read: ReadSecret): Promise<SecretFound> {
  if (typeof form === 'string') return read(form);
  const { env, file } = form;
  if (env !== undefined && file === undefined) return read({ env });
  if (file !== undefined && env === undefined) return read({ file });
  return {
    ok: false,
    fault: 'expected the secret as text, or either { "env": "NAME" } or { "file": "path" }',
  };
}

/** A secret; it comes out as its value. */
function secretField(read: ReadSecret) {
  return secretForm.transform(async (form, context): Promise<string> => {
    // An unknown key in the reference has been told already.
    if (context.issues.length > 0) return z.NEVER;
    const found = await readForm(form, read);
    if (found.ok) return found.value;
    context.addIssue({ code: 'custom', message: found.fault });
    return z.NEVER;
  });
}

/** A secret that travels in an HTTP header. */
export function keyField(read: ReadSecret) {
  // zod goes on after an unknown key, with what stands for no value: that fault is told, and enough.
  return secretField(read).refine((key: unknown) => typeof key !== 'string' || /^[\x21-\x7e]+$/.test(key), {
    error: 'holds a space, a line break or a letter that no HTTP header can carry',
  });
}

export function networkKeyField(read: ReadSecret) {
  return secretField(read).transform((text, context): Buffer => {
    if (context.issues.length > 0) return z.NEVER;
    const key = networkKeyOf(text);
    if (key !== undefined) return key;
    context.addIssue({ code: 'custom', message: NETWORK_KEY_FAULT });
    return z.NEVER;
  });
}

/** A field that is checked by making what it stands for. */
function made<T>(make: (text: string) => T | Mistake) {
  return z.string().transform((text, context): T => {
    const result = make(text);
    if (!(result instanceof Mistake)) return result;
    context.addIssue({ code: 'custom', message: result.text });
    return z.NEVER;
  });
}

class Mistake {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Its value is never in a fault: `${KEY}` may have been expanded into it. */
export const baseUrlField = made((text) => {
  const url = urlOf(text, {
    protocols: ['http:', 'https:'],
    wanted: 'an http:// or https:// address, as "http://127.0.0.1:11434/v1"',
    instead: 'write "apiKey" beside it',
  });
  return url instanceof Mistake ? url : url.href.replace(/\/+$/, '');
});

export const peerUrlField = made((text) => {
  const url = urlOf(text, {
    protocols: ['ws:', 'wss:'],
    wanted: 'a ws:// or wss:// address, as "ws://hub.lan:19700"',
    instead: 'the network key is what lets a node in',
  });
  return url instanceof Mistake ? url : url.href.replace(/\/$/, '');
});

interface UrlRule {
  readonly protocols: readonly string[];
  readonly wanted: string;
  /** What to write in the place of a password. */
  readonly instead: string;
}

function urlOf(text: string, { protocols, wanted, instead }: UrlRule): URL | Mistake {
  const url = parsed(text.trim());
  if (url === undefined || !protocols.includes(url.protocol) || url.hostname === '')
    return new Mistake(`expected ${wanted}`);
  if (url.username !== '' || url.password !== '')
    return new Mistake(`a user name or password in the address is refused: ${instead}`);
  if (/[?#]/.test(text)) return new Mistake('an address with "?" or "#" is refused: it ends with the path');
  return url;
}

// `URL.parse` is not in every Node 20.
function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** An agent of OpenClaw, as its gateway wants it named; a plain id is one of the agents that `openclaw/` names. */
export const agentField = z
  .string()
  .trim()
  .regex(
    /^(openclaw|(openclaw[/:]|agent:)?[A-Za-z0-9][A-Za-z0-9._-]{0,63})$/,
    'expected an agent of OpenClaw, as "main" or "openclaw/main"',
  )
  .transform((agent) => (/^openclaw$|[/:]/.test(agent) ? agent : `openclaw/${agent}`));

export const nodeIdField = made((text) => {
  const id = asNodeId(text.trim().toLowerCase());
  return (
    id ?? new Mistake('expected a whole node id (54 letters and digits, as "clawmatrix status" shows it)')
  );
});

export const hostField = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9._:%[\]-]+$/, 'expected a host name or an IP address, without scheme or path')
  .transform(bareHost);

/** What a client writes into `Host`: a name, with a port where one is to be compared. */
export const allowedHostField = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/,
    'expected a host name, as "studio.lan" or "studio.lan:19701"',
  )
  .transform((host) => host.toLowerCase());

export const originField = made((text) => {
  const origin = parsed(text)?.origin;
  if (origin === undefined || origin === 'null' || !/^https?:/.test(origin) || origin !== text.toLowerCase())
    return new Mistake('expected one exact origin, as "http://localhost:3000": no "*", no path');
  return origin;
});

/** One address, in the form that a socket tells it. */
export const addressField = made((text) => {
  const kind = isIP(text);
  if (kind === 0) return new Mistake('expected one IP address, as "10.0.0.7": no name, no range');
  return kind === 4 ? text : new URL(`http://[${text.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
});

export const portField = z.int().min(0).max(65_535);

/** The label that people type. */
export const nodeNameField = z
  .string()
  .max(NODE_NAME_CHARS_MAX)
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and "-", as "studio"');

interface Checked {
  readonly value: unknown;
}

// Rules of a whole object or list run although a part of it is at fault, so that one list has every fault.
export function anObject({ value }: Checked): boolean {
  return typeof value === 'object' && value !== null;
}

export function aList({ value }: Checked): boolean {
  return Array.isArray(value);
}
