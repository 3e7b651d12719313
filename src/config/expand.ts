/** `${NAME}` in the strings of a configuration, replaced by environment variables. Pure. */
import type { Fault, Path } from './faults.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expanded {
  readonly value: unknown;
  readonly faults: readonly Fault[];
}

// `$${` is a literal `${`; a `${` that names nothing is a slip, not text.
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g;

/** Keys are left alone: a configuration whose shape hangs on the environment cannot be checked. */
export function expand(value: unknown, environment: Environment): Expanded {
  const faults: Fault[] = [];
  return { value: walk(value, [], environment, faults), faults };
}

function walk(value: unknown, path: Path, environment: Environment, faults: Fault[]): unknown {
  if (typeof value === 'string') return expandText(value, path, environment, faults);
  if (Array.isArray(value))
    return value.map((item, index) => walk(item, [...path, index], environment, faults));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, item]) => [key, walk(item, [...path, key], environment, faults)]),
  );
}

function expandText(text: string, path: Path, environment: Environment, faults: Fault[]): string {
  return text.replaceAll(REFERENCE, (found: string, name: string | undefined) => {
    if (found === '$${') return `\${`;
    if (name === undefined) {
      faults.push({
        path,
        message: `"\${" without a variable's name and "}" behind it; write "$\${" for the text itself`,
      });
      return '';
    }
    const value = environment[name];
    if (value === undefined) faults.push({ path, message: `the environment variable ${name} is not set` });
    return value ?? '';
  });
}
