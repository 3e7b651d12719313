/** Where JSON differs from what was expected of it, by the path of each member. */
import type { Placeholders } from './placeholders.ts';

/** Of a part only the members that are named must be there; a list must be as long either way. */
export type Extent = 'whole' | 'part';

export class Comparison {
  readonly #placeholders: Placeholders;
  readonly #extent: Extent;

  constructor(placeholders: Placeholders, extent: Extent) {
    this.#placeholders = placeholders;
    this.#extent = extent;
  }

  differences(actual: unknown, expected: unknown, at: string): readonly string[] {
    if (typeof expected === 'string') {
      const fits = this.#placeholders.fits(actual, expected) ?? actual === expected;
      return fits ? [] : [wrong(at, actual, expected)];
    }
    if (Array.isArray(expected)) return this.#lists(actual, expected, at);
    if (isObject(expected)) return this.#objects(actual, expected, at);
    return Object.is(actual, expected) ? [] : [wrong(at, actual, expected)];
  }

  #lists(actual: unknown, expected: readonly unknown[], at: string): readonly string[] {
    if (!Array.isArray(actual)) return [wrong(at, actual, expected)];
    const length = Math.max(actual.length, expected.length);
    return Array.from({ length }, (_, index) => {
      const here = `${at}[${index}]`;
      if (index >= expected.length) return [`${here}: not expected: ${shown(actual[index])}`];
      return this.differences(actual[index], expected[index], here);
    }).flat();
  }

  #objects(actual: unknown, expected: Readonly<Record<string, unknown>>, at: string): readonly string[] {
    if (!isObject(actual)) return [wrong(at, actual, expected)];
    const found = Object.entries(expected).flatMap(([key, value]) =>
      this.differences(actual[key], value, `${at}.${key}`),
    );
    if (this.#extent === 'part') return found;
    const more = Object.keys(actual).filter((key) => !Object.hasOwn(expected, key));
    return [...found, ...more.map((key) => `${at}.${key}: not expected: ${shown(actual[key])}`)];
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(at: string, actual: unknown, expected: unknown): string {
  return `${at}: ${shown(actual)} in place of ${shown(expected)}`;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`;
}
