/** Where a text stops being JSON. Node's own message says it for some faults only, and quotes the text for others. */

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** What may come next. */
type Expected = 'value' | 'value or ]' | 'name or }' | 'name' | ':' | ', or }' | ', or ]' | 'end';

const IN_WORDS: Readonly<Record<Expected, string>> = {
  value: 'a value',
  'value or ]': 'a value or ]',
  'name or }': 'a name in double quotes or }',
  name: 'a name in double quotes',
  ':': 'a colon',
  ', or }': 'a comma or }',
  ', or ]': 'a comma or ]',
  end: 'nothing more',
};

export interface JsonFault {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
}

/** Only called for a text that does not parse, so its cost is of no matter. */
export function jsonFault(text: string): JsonFault {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  for (let at = ends(SPACE, text, 0); ; at = ends(SPACE, text, at)) {
    const end = tokenEnd(text, at);
    const next: Expected | undefined = end < 0 ? undefined : behind(expected, text.charAt(at), open);
    if (next === undefined) {
      const before = text.slice(0, at);
      const line = before.split('\n').length;
      return { line, column: at - before.lastIndexOf('\n'), expected: IN_WORDS[expected] };
    }
    at = end;
    expected = next;
  }
}

/** What may follow a token that begins with `first`; undefined where that may not stand here. */
function behind(expected: Expected, first: string, open: ('{' | '[')[]): Expected | undefined {
  switch (expected) {
    case 'name':
    case 'name or }':
      if (first === '"') return ':';
      return first === '}' && expected === 'name or }' ? close(open) : undefined;
    case ':':
      return first === ':' ? 'value' : undefined;
    case ', or }':
      if (first === ',') return 'name';
      return first === '}' ? close(open) : undefined;
    case ', or ]':
      if (first === ',') return 'value';
      return first === ']' ? close(open) : undefined;
    case 'end':
      return undefined;
    case 'value':
    case 'value or ]':
      if (first === ']' && expected === 'value or ]') return close(open);
      if (first === '{' || first === '[') {
        open.push(first);
        return first === '{' ? 'name or }' : 'value or ]';
      }
      return ',:}]'.includes(first) ? undefined : behindValue(open);
  }
}

function close(open: ('{' | '[')[]): Expected {
  open.pop();
  return behindValue(open);
}

function behindValue(open: readonly ('{' | '[')[]): Expected {
  const inside = open.at(-1);
  if (inside === undefined) return 'end';
  return inside === '{' ? ', or }' : ', or ]';
}

/** Where the token that begins at `at` ends; -1 where none begins there or it is broken. */
function tokenEnd(text: string, at: number): number {
  const first = text.charAt(at);
  if (first === '') return -1;
  if ('{}[],:'.includes(first)) return at + 1;
  if (first !== '"') return ends(SCALAR, text, at);
  // A loop, not an expression: that one would need a stack as deep as the string is long.
  for (let next = at + 1; next < text.length; next++) {
    const code = text.charCodeAt(next);
    if (code === 0x22) return next + 1;
    if (code < 0x20) return -1;
    if (code !== 0x5c) continue;
    const end = ends(ESCAPE, text, next);
    if (end < 0) return -1;
    next = end - 1;
  }
  return -1;
}

function ends(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
