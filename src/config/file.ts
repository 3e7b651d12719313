/** Reads one configuration file: its text to a value with its places, or what keeps it from being one. */
import { type FileHandle, open } from 'node:fs/promises';
import JSON5 from 'json5';
import { namesSecret } from '../core/header-names.ts';
import { CONFIG_BYTES_MAX, JSON_DEPTH_MAX } from '../core/limits.ts';
import { errnoText, isErrno } from '../lib/errno.ts';
import type { Fault, Path } from './faults.ts';
import { pathText } from './faults.ts';
import type { ConfigPlace } from './paths.ts';
import { findPlaces, type Places } from './places.ts';

export type FileRead =
  | {
      readonly kind: 'read';
      readonly value: unknown;
      readonly places: Places;
      readonly mode: number;
      readonly faults: readonly Fault[];
    }
  /** There is none, and nobody named one. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly fault: Fault }
  /** It was read, and is not what it must be. */
  | { readonly kind: 'malformed'; readonly fault: Fault };

export async function readConfigFile(place: ConfigPlace): Promise<FileRead> {
  let content: { text: string; mode: number };
  try {
    content = await read(place.path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) return unreadable(messageOf(error));
    if (!place.named) return { kind: 'absent' };
    return unreadable('the file does not exist; "clawmatrix init" makes one');
  }
  return parse(content.text, content.mode);
}

function parse(text: string, mode: number): FileRead {
  let value: unknown;
  try {
    value = JSON5.parse(text);
  } catch (error) {
    return { kind: 'malformed', fault: syntaxFault(error) };
  }
  const places = findPlaces(text);
  if (places.tooDeep !== undefined) {
    const line = places.lineOf(places.tooDeep);
    const fault = { path: [], message: `nested deeper than ${JSON_DEPTH_MAX} levels` };
    return { kind: 'malformed', fault: line === undefined ? fault : { ...fault, line } };
  }
  const faults = places.twice.map((path) => twice(path, places));
  return { kind: 'read', value, places, mode, faults };
}

/** The fault with the line that it is in. */
export function placed(fault: Fault, file: FileRead): Fault {
  const line = file.kind === 'read' ? file.places.lineOf(fault.path) : undefined;
  return line === undefined ? fault : { ...fault, line };
}

function twice(path: Path, places: Places): Fault {
  const line = places.lineOf(path);
  const message = 'written twice in the same object; only the last would count';
  return line === undefined ? { path, message } : { path, message, line };
}

/** JSON5 says `JSON5: invalid character 'x' at 3:5`, and keeps the place in two properties. */
function syntaxFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { path: [], message: 'is not JSON' };
  const message = error.message.replace(/^JSON5: /, '').replace(/ at \d+:\d+$/, '');
  const line = numberOf(error, 'lineNumber');
  const column = numberOf(error, 'columnNumber');
  if (line === undefined || column === undefined) return { path: [], message: `is not JSON: ${message}` };
  return { path: [], line, message: `column ${column}: not JSON with comments: ${message}` };
}

function numberOf(error: Error, name: string): number | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'number' ? value : undefined;
}

function unreadable(message: string): FileRead {
  return { kind: 'unreadable', fault: { path: [], message } };
}

class Unreadable extends Error {}

function messageOf(error: unknown): string {
  return error instanceof Unreadable ? error.message : `the file cannot be read${errnoText(error)}`;
}

async function read(path: string): Promise<{ text: string; mode: number }> {
  const file = await open(path, 'r');
  try {
    const { mode } = await file.stat();
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await bytesOf(file));
    return { text, mode };
  } catch (error) {
    if (error instanceof TypeError) throw new Unreadable('the file is not text in UTF-8');
    throw error;
  } finally {
    await file.close();
  }
}

async function bytesOf(file: FileHandle): Promise<Uint8Array> {
  // A byte more than may be, whatever size the file claims: a pipe or a device has none.
  const buffer = Buffer.alloc(CONFIG_BYTES_MAX + 1);
  let bytes = 0;
  let last: number;
  do {
    ({ bytesRead: last } = await file.read(buffer, bytes, buffer.length - bytes, null));
    bytes += last;
  } while (last > 0);
  if (bytes > CONFIG_BYTES_MAX)
    throw new Unreadable(`the file is too large: at most ${CONFIG_BYTES_MAX} bytes are read`);
  return buffer.subarray(0, bytes);
}

const SECRET_KEYS = new Set(['secret', 'apiKey', 'apiKeys', 'token']);

/** Where keys and the like are written out instead of referred to. */
export function literalSecrets(value: unknown, path: Path = []): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => literalSecrets(item, [...path, index]));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, item]) => literalSecrets(item, [...path, key]));
  if (typeof value !== 'string' || value.includes('${')) return [];
  const [name = '', around] = path.filter((part) => typeof part === 'string').reverse();
  const isSecret = SECRET_KEYS.has(name) || (around === 'headers' && namesSecret(name));
  return isSecret ? [pathText(path)] : [];
}
