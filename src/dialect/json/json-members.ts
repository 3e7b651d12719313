/**
 * A request's JSON object, changed member by member in its bytes: what is not changed stays as it was written, digit for
 * digit, and is never parsed.
 */
import { tolerantJson } from '../../lib/json.ts';
import { asBuffer } from '../framing/bytes.ts';
import { walkMembers } from './json-walk.ts';

interface Member {
  readonly name: string;
  /** The JSON text of its value. */
  readonly value: Buffer;
  /** Key, colon and value, as they are written. */
  readonly text: Buffer;
}

export class JsonMembers {
  readonly #body: Uint8Array;
  #members: readonly Member[];
  #isChanged = false;

  /** Throws `bad_request` or `invalid_json` where the body is no JSON object. */
  constructor(body: Uint8Array) {
    this.#body = body;
    this.#members = membersOf(asBuffer(body));
  }

  has(name: string): boolean {
    return this.text(name) !== undefined;
  }

  /** The JSON text of a member's value: the last one's, which is the one that parsers take. */
  text(name: string): Buffer | undefined {
    return this.#members.findLast((member) => member.name === name)?.value;
  }

  /** Undefined too where the text is no JSON: whoever reads the body tells of that. */
  value(name: string): unknown {
    const text = this.text(name);
    return text === undefined ? undefined : tolerantJson(text.toString());
  }

  /** Where the member stands, or behind all others. */
  set(name: string, value: unknown): void {
    const member = memberOf(name, Buffer.from(JSON.stringify(value)));
    const before = this.#members.findLastIndex((other) => other.name === name);
    this.#replace(
      before < 0
        ? [...this.#members, member]
        : this.#members.flatMap((other, index) => {
            if (index === before) return [member];
            return other.name === name ? [] : [other];
          }),
    );
  }

  /** The value stays as it is written. One that is already there under the new name goes first. */
  rename(from: string, to: string): void {
    if (this.has(to)) return this.remove(from);
    const last = this.#members.findLast(({ name }) => name === from);
    if (last === undefined) return;
    this.#replace(
      this.#members.flatMap((member) => {
        if (member === last) return [memberOf(to, member.value)];
        return member.name === from ? [] : [member];
      }),
    );
  }

  remove(name: string): void {
    if (this.has(name)) this.#replace(this.#members.filter((member) => member.name !== name));
  }

  /** The very same bytes where nothing was changed. */
  get body(): Uint8Array {
    if (!this.#isChanged) return this.#body;
    const parts = this.#members.flatMap(({ text }, index) => (index === 0 ? [text] : [COMMA, text]));
    return Buffer.concat([OPEN, ...parts, CLOSE]);
  }

  #replace(members: readonly Member[]): void {
    this.#members = members;
    this.#isChanged = true;
  }
}

const OPEN = Buffer.from('{');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from('}');

function membersOf(bytes: Buffer): Member[] {
  const members: Member[] = [];
  let key = { start: 0, end: 0 };
  walkMembers(bytes, {
    onKey: (start, end) => {
      key = { start, end };
    },
    onValue: (start, end) => {
      const name = bytes.toString('utf8', key.start, key.end);
      members.push({
        name: name.includes('\\') ? decoded(name) : name.slice(1, -1),
        value: bytes.subarray(start, end),
        text: bytes.subarray(key.start, end),
      });
    },
  });
  return members;
}

/** A key with escapes. One that is no JSON is no name that any server knows. */
function decoded(key: string): string {
  const name = tolerantJson(key);
  return typeof name === 'string' ? name : key;
}

function memberOf(name: string, value: Buffer): Member {
  return { name, value, text: Buffer.concat([Buffer.from(`${JSON.stringify(name)}:`), value]) };
}
