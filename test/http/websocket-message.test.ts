/** A message of a WebSocket as the body of a call: whatever JSON it is, nothing of it but what is the message's own is lost. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCreate } from '../../src/http/websocket/create-message.ts';

const OWN = ['type', 'stream', 'stream_options', 'background', 'generate', 'stream_id'];

const bodyOf = (text: string) => Buffer.from(readCreate(Buffer.from(text)).body).toString();

/** The same value, with spaces wherever JSON allows some. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map(spaced).join(' ,\n')} ]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}\t: ${spaced(one)}`);
  return `\r\n{ ${members.join(' , ')} } `;
}

test('every other member is there, with its value, however the message is written', () => {
  const member = fc.string({ unit: 'binary' }).filter((name) => !OWN.includes(name) && name !== '__proto__');
  const members = fc.dictionary(member, fc.jsonValue({ maxDepth: 5 }), { noNullPrototype: true });
  fc.assert(
    fc.property(members, fc.jsonValue(), fc.boolean(), fc.boolean(), (rest, other, isSpaced, isLast) => {
      const own = { type: 'response.create', stream: other, stream_options: other, generate: other };
      const message = isLast ? { ...rest, ...own } : { ...own, ...rest };
      const text = isSpaced ? spaced(message) : JSON.stringify(message);
      expect(JSON.parse(bodyOf(text))).toEqual({ ...JSON.parse(JSON.stringify(rest)), stream: true });
    }),
    { numRuns: 100 },
  );
});

test.each([
  ['{"type":"response.create"}', '{"stream":true}'],
  ['{"\\u0074ype":"response.create","a":1e400}', '{"a":1e400,"stream":true}'],
  ['{"a":"\\\\\\"}","type":"response.create"}', '{"a":"\\\\\\"}","stream":true}'],
  ['{"type":"response.create","stream":1,"stream":2,"a":[],"b":{}}', '{"stream":true,"a":[],"b":{}}'],
  ['{"type":"response.create","a" : -0.0 }', '{"a" : -0.0,"stream":true}'],
])('%s is the body %s', (text, body) => {
  expect(bodyOf(text)).toBe(body);
});
