/**
 * Where each value of a configuration text stands, and which keys are written twice: what a parsed value has lost.
 * The text has gone through JSON5 already, so it is known to be well formed and nothing is checked again.
 */
import JSON5 from 'json5';
import { JSON_DEPTH_MAX } from '../core/limits.ts';
import { type Path, pathText } from './faults.ts';

export interface Places {
  /** The line of the value, or of the nearest thing around it that is written. */
  lineOf(path: Path): number | undefined;
  /** Keys written more than once in one object: JSON5 keeps the last and says nothing. */
  readonly twice: readonly Path[];
  /** The first place that is nested deeper than anything meaningful; what is below it was not looked at. */
  readonly tooDeep: Path | undefined;
}

export function findPlaces(text: string): Places {
  const scanner = new Scanner(text);
  scanner.value([]);
  const { lines, twice, tooDeep } = scanner;
  return {
    twice,
    tooDeep,
    lineOf(path) {
      for (let length = path.length; length >= 0; length--) {
        const line = lines.get(pathText(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return undefined;
    },
  };
}

class Scanner {
  readonly lines = new Map<string, number>();
  readonly twice: Path[] = [];
  tooDeep: Path | undefined;
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  value(path: Path): void {
    this.#space();
    if (!this.lines.has(pathText(path))) this.lines.set(pathText(path), this.#line);
    const first = this.#text[this.#at];
    // The whole scan ends here: stepping over the rest would need the recursion that the limit is there to avoid.
    if (path.length > JSON_DEPTH_MAX) this.#stop(path);
    else if (first === '{') this.#object(path);
    else if (first === '[') this.#array(path);
    else if (first === '"' || first === "'") this.#quoted();
    else this.#bare(/[,\]}\s/]/);
  }

  #object(path: Path): void {
    const seen = new Set<string>();
    this.#at++;
    for (;;) {
      this.#space();
      if (this.#atEnd('}')) return;
      const line = this.#line;
      const key = this.#key();
      const inner = [...path, key];
      if (seen.has(key)) this.twice.push(inner);
      seen.add(key);
      // The key's line, not the value's: it is the one that people look for. The last of two wins, as in the value.
      this.lines.set(pathText(inner), line);
      this.#space();
      this.#at++;
      this.value(inner);
      this.#space();
      if (this.#text[this.#at] === ',') this.#at++;
    }
  }

  #array(path: Path): void {
    this.#at++;
    for (let index = 0; ; index++) {
      this.#space();
      if (this.#atEnd(']')) return;
      this.value([...path, index]);
      this.#space();
      if (this.#text[this.#at] === ',') this.#at++;
    }
  }

  #atEnd(closing: string): boolean {
    if (this.#at >= this.#text.length) return true;
    if (this.#text[this.#at] !== closing) return false;
    this.#at++;
    return true;
  }

  #key(): string {
    const from = this.#at;
    const first = this.#text[from];
    if (first === '"' || first === "'") {
      this.#quoted();
      return String(JSON5.parse(this.#text.slice(from, this.#at)));
    }
    this.#bare(/[:\s/]/);
    const raw = this.#text.slice(from, this.#at);
    return raw.includes('\\') ? (Object.keys(JSON5.parse(`{${raw}:0}`))[0] ?? raw) : raw;
  }

  #quoted(): void {
    const quote = this.#text[this.#at++];
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      if (this.#text[this.#at] === '\\') this.#at++;
      this.#step();
    }
    this.#at++;
  }

  #bare(end: RegExp): void {
    while (this.#at < this.#text.length && !end.test(this.#text.charAt(this.#at))) this.#at++;
  }

  #space(): void {
    for (;;) {
      const rest = this.#text.slice(this.#at, this.#at + 2);
      if (rest === '//') while (this.#at < this.#text.length && !this.#atLineBreak()) this.#at++;
      else if (rest === '/*') this.#block();
      else if (/^[\s\uFEFF]/.test(rest)) this.#step();
      else return;
    }
  }

  #block(): void {
    this.#at += 2;
    while (this.#at < this.#text.length && !this.#text.startsWith('*/', this.#at)) this.#step();
    this.#at += 2;
  }

  #step(): void {
    // Of `\r\n` the second counts; a lone `\r` is a line too.
    if (this.#atLineBreak() && !this.#text.startsWith('\r\n', this.#at)) this.#line++;
    this.#at++;
  }

  #atLineBreak(): boolean {
    return /[\n\r\u2028\u2029]/.test(this.#text.charAt(this.#at));
  }

  #stop(path: Path): void {
    this.tooDeep = path.slice(0, JSON_DEPTH_MAX);
    this.#at = this.#text.length;
  }
}
