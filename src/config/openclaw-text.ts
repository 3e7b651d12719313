/** Strings of OpenClaw's configuration, read as OpenClaw reads them. What is no secret is never taken for one. */
import type { JsonObject } from '../lib/json.ts';
import type { Environment } from './expand.ts';
import { member, objectOf } from './json-object.ts';

export type TextRead =
  | { readonly ok: true; readonly text: string }
  /** What it is instead, behind a verb: `is a SecretRef …`. Never holds a value. */
  | { readonly ok: false; readonly why: string };

/** OpenClaw's names, not ours: a lower-case one is text there. `$${NAME}` is the text `${NAME}`. */
const REFERENCE = /\$\$\{[A-Z_][A-Z0-9_]*\}|\$\{([A-Z_][A-Z0-9_]*)\}|\$\{/g;

/** What OpenClaw leaves in the place of a secret that it keeps elsewhere: the server would be sent that word as a key. */
const MARKER =
  /^secretref-|^oauth:|-oauth$|^gcp-vertex-credentials$|^codex-app-server$|^AWS_|^[A-Z][A-Z0-9_]*_(API_KEY|KEY|TOKEN|SECRET|PASSWORD)$/;

export const IS_MARKER = 'is a marker for a secret that is kept elsewhere; a variable is written "${NAME}"';

/** The variables that a string may name: those of the process, and behind them those that OpenClaw's file sets itself. */
export function variablesOf(root: JsonObject, environment: Environment): Environment {
  const written = member(root, 'env');
  const named = { ...objectOf(written), ...objectOf(member(written, 'vars')) };
  const own = Object.entries(named).filter(([, value]) => typeof value === 'string' && !value.includes('${'));
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries([...own, ...set].map(([name, value]) => [name, String(value)]));
}

export function readText(value: unknown, variables: Environment): TextRead {
  if (typeof value !== 'string') return { ok: false, why: kindOf(value) };
  let why: string | undefined;
  const text = value.replaceAll(REFERENCE, (found: string, name: string | undefined) => {
    if (found.startsWith('$$')) return found.slice(1);
    const set = name === undefined ? undefined : variables[name];
    if (set !== undefined && set !== '') return set;
    why ??=
      name === undefined
        ? `holds a "\${" that names no variable`
        : `needs the environment variable ${name}, which is not set for this daemon`;
    return '';
  });
  return why === undefined ? { ok: true, text } : { ok: false, why };
}

/** A text that is sent as a key. */
export function readKey(value: unknown, variables: Environment): TextRead {
  const read = readText(value, variables);
  return read.ok ? asKey(read.text) : read;
}

/** The text as a key, where it can be one. */
export function asKey(text: string): TextRead {
  const key = text.trim();
  if (isMarker(key)) return { ok: false, why: IS_MARKER };
  return /^[\x21-\x7e]+$/.test(key)
    ? { ok: true, text: key }
    : { ok: false, why: 'is empty, or holds a letter that no HTTP header can carry' };
}

export function isMarker(text: string): boolean {
  return MARKER.test(text);
}

function kindOf(value: unknown): string {
  const source = member(value, 'source');
  if (source !== undefined)
    return `is a SecretRef ({ "source": … }), which this version does not read; a variable is written "\${NAME}"`;
  return 'is no text';
}
