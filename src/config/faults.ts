/** What is wrong with a configuration: one list with every fault in it, for a person. Never holds a secret's value. */
import type { z } from 'zod';

export type Path = readonly (string | number)[];

export interface Fault {
  /** Empty for a fault of the whole file, or of something outside it. */
  readonly path: Path;
  /** What was expected, and how to mend it. */
  readonly message: string;
  readonly line?: number;
}

/** Faults without a line are of something outside the file, and come behind those of the file. */
const LAST = Number.MAX_SAFE_INTEGER;

/** Thrown by `load`: the start-up ends here, before anything has been opened. */
export class ConfigFaults extends Error {
  override readonly name = 'ConfigFaults';
  readonly faults: readonly Fault[];
  readonly configPath: string | null;

  constructor(faults: readonly Fault[], configPath: string | null, scrub: (text: string) => string) {
    const sorted = inOrder(faults);
    super(scrub(listed(sorted, configPath)));
    this.faults = sorted;
    this.configPath = configPath;
  }
}

/** By their lines, as one goes through the file. */
export function inOrder(faults: readonly Fault[]): readonly Fault[] {
  return faults.toSorted((a, b) => (a.line ?? LAST) - (b.line ?? LAST));
}

/** `models[1].provider`; keys that are no plain name are quoted. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[a-zA-Z_$][\w$-]*$/.test(part)) text += `[${JSON.stringify(printable(part))}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** `line 3, models[1].provider`; empty for a fault of something outside the file. */
export function placeText({
  path,
  line,
}: {
  readonly path: Path;
  readonly line?: number | undefined;
}): string {
  return [line === undefined ? '' : `line ${line}`, pathText(path)].filter((text) => text !== '').join(', ');
}

/** Fit for a terminal: keys come from a file that anyone may have written. */
export function printable(text: string): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return clean.length <= 64 ? clean : `${clean.slice(0, 63)}…`;
}

/** The faults that zod found, in the words of this file. */
export function faultsOf(issues: readonly z.core.$ZodIssue[]): Fault[] {
  return issues.flatMap((issue) =>
    plain(issue).map(({ path, message }) => ({
      path: path.map((part) => (typeof part === 'number' ? part : String(part))),
      message,
    })),
  );
}

function listed(faults: readonly Fault[], configPath: string | null): string {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const where = configPath === null ? '' : ` in ${configPath}`;
  const lines = faults.map(({ path, line, message }) => {
    const place = placeText({ path, line });
    return `  ${place === '' ? '' : `${place}: `}${message}`;
  });
  return [`the configuration has ${count}${where}:`, ...lines].join('\n');
}

interface Plain {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function plain(issue: z.core.$ZodIssue): Plain[] {
  const { path } = issue;
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return [{ path, message: `missing: expected ${noun(issue.expected)}` }];
      return [{ path, message: `expected ${noun(issue.expected)}, not ${kindOf(issue.input)}` }];
    case 'invalid_value':
      return [{ path, message: `expected ${oneOf(issue.values.map((value) => JSON.stringify(value)))}` }];
    case 'unrecognized_keys': {
      // One line of the message for each key: that is how `strict` writes it.
      const hints = issue.message.split('\n');
      return issue.keys.map((key, at) => ({ path: [...path, key], message: hints[at] ?? 'unknown key' }));
    }
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? issue.message }];
    case 'invalid_union':
      return ofUnion(issue.errors, path, issue.input);
    case 'too_small':
      return [{ path, message: `expected at least ${issue.minimum}${unitOf(issue.origin)}` }];
    case 'too_big':
      return [{ path, message: `expected at most ${issue.maximum}${unitOf(issue.origin)}` }];
    default:
      return [{ path, message: issue.message }];
  }
}

/** The faults of the one alternative whose kind the value has; if it has the kind of none, what they all expect. */
function ofUnion(
  branches: readonly (readonly z.core.$ZodIssue[])[],
  path: readonly PropertyKey[],
  input: unknown,
): Plain[] {
  const near = branches.find((issues) => !issues.some(isWrongKind));
  if (near !== undefined)
    return near.flatMap(plain).map((inner) => ({ path: [...path, ...inner.path], message: inner.message }));
  const kinds = branches.flat().flatMap((issue) => (isWrongKind(issue) ? [issue.expected] : []));
  const wanted = oneOf([...new Set(kinds)].map(noun));
  return [{ path, message: `expected ${wanted}, not ${kindOf(input)}` }];
}

function isWrongKind(issue: z.core.$ZodIssue): issue is z.core.$ZodIssueInvalidType {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

/** `a, b or c`. */
export function oneOf(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object { … }',
  record: 'an object { … }',
  array: 'a list [ … ]',
};

function unitOf(origin: string): string {
  return { string: ' characters', array: ' entries' }[origin] ?? '';
}

function noun(expected: string): string {
  return NOUNS[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a fraction';
  return (
    { string: 'text', number: 'a number', boolean: 'true or false', object: 'an object' }[
      String(typeof value)
    ] ?? 'that'
  );
}
