/**
 * The names that stand for generated values in a case: bound to the first value seen, and the same ever after. A name
 * without a number (`<resp>`) is so within one call, one with a number (`<resp_1>`) in all calls of its case.
 */

/** What an id of this name begins with. */
const PREFIXES: Readonly<Record<string, string>> = {
  resp: 'resp_',
  msg: 'msg_',
  rs: 'rs_',
  fc: 'fc_',
  ctc: 'ctc_',
  ig: 'ig_',
  cmp: 'cmp_',
  call: 'call_',
  chatcmpl: 'chatcmpl-',
};
/** Names without a form of their own; `model` is what the client asked for, `up` what its upstream is asked for. */
const PLAIN = ['any', 'int', 'created', 'model', 'up', 'blob'];
const KINDS = [...PLAIN, ...Object.keys(PREFIXES)].join('|');
const NAME = new RegExp(`^<(${KINDS})(?:_\\w+)?>$`);
const NAMES = new RegExp(`<(?:${KINDS})(?:_\\w+)?>`, 'g');
const HAS = /^<has:(.+)>$/s;

export class Placeholders {
  readonly #bound = new Map<string, unknown>();
  readonly #known: ReadonlySet<string>;

  constructor(known: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(known)) this.#bound.set(`<${name}>`, value);
    this.#known = new Set(this.#bound.keys());
  }

  nextCall(): void {
    for (const name of this.#bound.keys())
      if (!name.includes('_') && !this.#known.has(name)) this.#bound.delete(name);
  }

  /** Undefined where `expected` is no placeholder; else whether the value fits. */
  fits(actual: unknown, expected: string): boolean | undefined {
    const words = HAS.exec(expected)?.[1];
    if (words !== undefined) return typeof actual === 'string' && actual.includes(words);
    const kind = NAME.exec(expected)?.[1];
    if (kind === undefined) return undefined;
    if (kind === 'any') return actual !== undefined;
    if (kind === 'int') return Number.isInteger(actual);
    const prefix = PREFIXES[kind];
    if (prefix !== undefined && !(typeof actual === 'string' && actual.startsWith(prefix))) return false;
    if (this.#bound.has(expected)) return this.#bound.get(expected) === actual;
    // Two names are two values: an id that is used twice would pass for two of them.
    if ([...this.#bound.values()].includes(actual)) return false;
    this.#bound.set(expected, actual);
    return true;
  }

  /** The same JSON with the values of all names that are bound, also inside of texts. */
  filled(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) return value.map((one) => this.filled(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.filled(one)]));
  }

  #text(text: string): string {
    return text.replace(NAMES, (name) => {
      const value = this.#bound.get(name);
      return typeof value === 'string' ? value : name;
    });
  }
}
