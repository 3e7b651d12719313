/** One provider of OpenClaw's configuration, as far as a model can be called with it. Refuses by name what it cannot do. */
import { z } from 'zod';
import type { Dialect, Headers } from '../core/call.ts';
import { Card } from '../core/card.ts';
import { Compat } from '../core/compat.ts';
import { dialectOfApi } from '../core/dialect.ts';
import { namesSecret } from '../core/header-names.ts';
import { CONFIGURED_WAIT_MS_MAX } from '../core/limits.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Secrets } from '../lib/log.ts';
import type { Environment } from './expand.ts';
import { printable } from './faults.ts';
import { baseUrlField } from './fields.ts';
import { headerNameFault, headerValueFault } from './headers.ts';
import { member, memberAt, objectOf } from './json-object.ts';
import { IS_MARKER, isMarker, readKey, readText, variablesOf } from './openclaw-text.ts';
import type { Lender } from './spec.ts';

/** What our own entry of the model leaves open. */
export interface Wanted {
  readonly provider: string;
  readonly id: string;
  /** Has a key of its own: that of the provider need not be read. */
  readonly hasKey: boolean;
  readonly hasApi: boolean;
}

export type Loan =
  | { readonly kind: 'lent'; readonly lender: Lender }
  /** Described there, and not usable here: `why` begins with the member that is at fault. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Nothing there says where the provider is. */
  | { readonly kind: 'none' };

export interface LendingParts {
  readonly env: Environment;
  readonly secrets: Secrets;
}

/** Names that OpenClaw has beside those of the dialects. */
const OTHER_APIS = new Map<string, Dialect>([
  ['openai-chatgpt-responses', 'responses'],
  // The same under its former name.
  ['openai-codex-responses', 'responses'],
]);

/** Already sent with those very values. */
const SAID_ANYWAY = new Set(['accept', 'content-type']);

const inputs = z.enum(['text', 'image', 'audio', 'file']);
/** A value that is not as it should be counts as none: it describes, and nothing hangs on it. */
const Traits = z.object({
  contextWindow: Card.shape.contextWindow.catch(undefined),
  maxTokens: Card.shape.maxTokens.catch(undefined),
  input: z
    .array(z.unknown())
    .max(8)
    .transform((list) => list.flatMap((one) => inputs.safeParse(one).data ?? []))
    .refine((known) => known.length > 0)
    .optional()
    .catch(undefined),
  reasoning: Card.shape.reasoning.catch(undefined),
  cost: Card.shape.cost.catch(undefined),
});

export function lend(root: JsonObject, wanted: Wanted, { env, secrets }: LendingParts): Loan {
  const provider = objectOf(memberAt(root, 'models', 'providers', wanted.provider));
  if (provider === undefined || !saysWhere(provider)) return { kind: 'none' };
  const model = modelOf(provider, wanted.id);
  const reading = new Reading(variablesOf(root, env), secrets);
  try {
    refuseForms(provider, ['localService', 'request']);
    // A key is lent for the provider's own address and for no other.
    refuseForms(model, ['request', 'baseUrl'], ' of its model');
    return { kind: 'lent', lender: reading.lender(provider, model, wanted) };
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', why: error.message };
    throw error;
  }
}

/** An address, or another file that may hold one. */
function saysWhere(provider: JsonObject): boolean {
  return member(provider, 'baseUrl') !== undefined || member(provider, '$include') !== undefined;
}

class Refused extends Error {}

/** What changes where or how a call is made, and is not done here: leaving it out would be another call. */
function refuseForms(described: JsonObject, undone: readonly string[], of = ''): void {
  if (hasInclude(described)) throw new Refused('"$include" is not followed by this version');
  for (const name of undone) {
    if (member(described, name) !== undefined)
      throw new Refused(`"${name}"${of} is not done by this version`);
  }
  const auth = member(described, 'auth') ?? 'api-key';
  if (auth !== 'api-key' && auth !== 'token')
    throw new Refused(`"auth" is ${word(auth)}: this version knows keys and tokens alone`);
  const inHeader = member(described, 'authHeader');
  if (inHeader !== undefined && typeof inHeader !== 'boolean')
    throw new Refused('"authHeader" is neither true nor false');
}

/** The file is no deeper than `JSON_DEPTH_MAX`. */
function hasInclude(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, item]) => name === '$include' || hasInclude(item));
}

function modelOf(provider: JsonObject, id: string): JsonObject {
  const list = member(provider, 'models');
  const found: unknown = Array.isArray(list) ? list.find((one) => member(one, 'id') === id) : undefined;
  return objectOf(found) ?? {};
}

/** Takes the members one by one; the first that cannot be used ends it. */
class Reading {
  readonly #variables: Environment;
  readonly #secrets: Secrets;

  constructor(variables: Environment, secrets: Secrets) {
    this.#variables = variables;
    this.#secrets = secrets;
  }

  lender(provider: JsonObject, model: JsonObject, { hasKey, hasApi }: Wanted): Lender {
    const apiKey = hasKey ? undefined : this.#key(member(provider, 'apiKey'));
    const silenceMs = this.#silenceMs(member(provider, 'timeoutSeconds'));
    return {
      baseUrl: this.#baseUrl(member(provider, 'baseUrl')),
      ...(apiKey === undefined ? {} : { apiKey }),
      dialect: hasApi ? 'chat' : dialectOf(member(model, 'api') ?? member(provider, 'api')),
      headers: { ...this.#headers(member(provider, 'headers')), ...this.#headers(member(model, 'headers')) },
      ...(silenceMs === undefined ? {} : { silenceMs }),
      traits: Traits.parse(model),
      compat: compatOf(member(model, 'compat')),
    };
  }

  #key(written: unknown): string | undefined {
    if (written === undefined || written === '') return undefined;
    const key = readKey(written, this.#variables);
    if (!key.ok) throw new Refused(`"apiKey" ${key.why}`);
    this.#secrets.add(key.text);
    return key.text;
  }

  #baseUrl(written: unknown): string {
    const text = this.#text('baseUrl', written);
    const url = baseUrlField.safeParse(text);
    if (!url.success) throw new Refused(`"baseUrl": ${url.error.issues[0]?.message ?? 'is no address'}`);
    return url.data;
  }

  #headers(written: unknown): Headers {
    const headers: [string, string][] = [];
    for (const [name, value] of Object.entries(objectOf(written) ?? {})) {
      const known = name.toLowerCase();
      if (SAID_ANYWAY.has(known)) continue;
      const unfit = headerNameFault(name);
      if (unfit !== undefined) throw new Refused(`the header "${printable(name)}": ${unfit}`);
      headers.push([known, this.#headerValue(name, value)]);
    }
    return Object.fromEntries(headers);
  }

  #headerValue(name: string, written: unknown): string {
    const isSecret = namesSecret(name);
    const label = `the header "${printable(name)}"`;
    const read = readText(written, this.#variables);
    if (!read.ok) throw new Refused(`${label} ${read.why}`);
    // Under another name a word in capitals may be just that.
    if (isSecret ? isMarker(read.text) : read.text.startsWith('secretref-'))
      throw new Refused(`${label} ${IS_MARKER}`);
    const unfit = headerValueFault(read.text);
    if (unfit !== undefined) throw new Refused(`${label} ${unfit}`);
    // A variable may be a secret whatever the header is called.
    if (isSecret || read.text !== written) this.#secrets.add(read.text);
    return read.text;
  }

  #text(name: string, written: unknown): string {
    const read = readText(written, this.#variables);
    if (!read.ok) throw new Refused(`"${name}" ${read.why}`);
    return read.text;
  }

  #silenceMs(seconds: unknown): number | undefined {
    if (typeof seconds !== 'number' || !(seconds > 0)) return undefined;
    return Math.min(Math.max(1, Math.round(seconds * 1_000)), CONFIGURED_WAIT_MS_MAX);
  }
}

/** What of it has an effect here. As with the traits, a value that is not as it should be counts as none. */
function compatOf(described: unknown): Compat {
  const written = Object.entries(Compat.shape).map(
    ([name, schema]) => [name, schema, member(described, name)] as const,
  );
  const fit = written.filter(([, schema, value]) => value !== undefined && schema.safeParse(value).success);
  return Compat.parse(Object.fromEntries(fit.map(([name, , value]) => [name, value])));
}

function dialectOf(api: unknown): Dialect {
  if (api === undefined) return 'chat';
  const dialect = typeof api === 'string' ? (dialectOfApi(api) ?? OTHER_APIS.get(api)) : undefined;
  if (dialect === undefined) throw new Refused(`it speaks ${word(api)}, which this version does not`);
  return dialect;
}

function word(value: unknown): string {
  return typeof value === 'string' ? printable(value) : 'no text';
}
