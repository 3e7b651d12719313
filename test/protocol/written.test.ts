/** PROTOCOL.md and the code say the same: a number that is in one and not in the other is a fault of both. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as limits from '../../src/core/limits.ts';
import { CLOSE, IGNORABLE_FROM, laneOf, SUBPROTOCOL, TYPE } from '../../src/protocol/frame.ts';
import { decode, validRecords } from './fixtures.ts';

const text = readFileSync(new URL('../../src/protocol/PROTOCOL.md', import.meta.url), 'utf8');

function section(number: number): string {
  const [, part] = text.split(`\n## ${number}. `);
  return part?.split('\n## ')[0] ?? '';
}

/** The cells of each row of the section's tables, without back quotes. */
function rows(number: number): string[][] {
  return section(number)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

test('the table of frames names the types of the code, with their numbers', () => {
  const written = rows(4)
    .filter(([type, , , payload]) => /^0x[0-9a-f]{2}$/.test(type ?? '') && payload !== 'reserved')
    .map(([type, name]) => [name, Number(type)]);
  expect(Object.fromEntries(written)).toEqual(TYPE);
});

test('a reserved type is not known to the code', () => {
  const reserved = rows(4).filter(([, , , payload]) => payload === 'reserved');
  const known = new Set<number>(Object.values(TYPE));
  for (const [range] of reserved) {
    const [from, to] = (range ?? '').split('–').map(Number);
    for (let type = from ?? 0; type <= (to ?? from ?? 0); type++) {
      expect(known.has(type)).toBe(false);
      expect(decode(Buffer.from([type, 0, 0, 0, 0, 0, 0, 0])).fault?.closeCode).toBe(CLOSE.protocol);
    }
  }
  expect(reserved.length).toBeGreaterThan(0);
});

test('the table of close codes is that of the code', () => {
  const written = rows(7)
    .filter(([code]) => /^\d{4}$/.test(code ?? ''))
    .map(([code, name]) => [name, Number(code)]);
  const named = Object.entries(CLOSE).map(([name, code]) => [
    name === 'goingAway' ? 'going away' : name,
    code,
  ]);
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(named));
});

test('every close code that the page mentions is in its table, or is one of WebSocket itself', () => {
  const known = new Set<string>([...Object.values(CLOSE), 1003, 1006, 1009].map(String));
  const mentioned = text.match(/\b(?:10|40|44)\d\d\b/g) ?? [];
  expect(mentioned.filter((code) => !known.has(code))).toEqual([]);
});

test('the control lane is what the page lists', () => {
  const [, list] = section(5).match(/control first \(([^)]*)\)/s) ?? [];
  const written = (list ?? '').match(/[a-z_]+/g) ?? [];
  const frames = validRecords.flatMap(({ hex }) => decode(Buffer.from(hex, 'hex')).frames);
  const control = new Set(frames.filter((frame) => laneOf(frame) === 'control').map(({ type }) => type));
  // `ready` is the first record each way and `rekey` the last frame of one: neither waits for its turn.
  control.delete('ready');
  control.delete('rekey');
  expect([...control].sort()).toEqual([...written].sort());
});

test.each([
  ['the subprotocol', SUBPROTOCOL],
  ['where ignorable types begin', `0x${IGNORABLE_FROM.toString(16)}`],
  ['the nonces remembered', limits.GATE_NONCES_MAX.toLocaleString('en-US')],
  ['the plaintext of a record', `${limits.RECORD_PLAIN_BYTES_MAX / 1024} KiB`],
  ['a JSON head', `≤ ${limits.FRAME_HEAD_BYTES_MAX / 1024} KiB`],
  ['the fragments of a message', `${limits.SOCKET_FRAGMENTS_MAX}`],
  ['the pending handshakes', `limited to ${limits.HANDSHAKES_PENDING_MAX}`],
  ['the first window', limits.FIRST_WINDOW_BYTES.toLocaleString('en-US')],
  ['the unsent bytes', `${limits.SOCKET_UNSENT_BYTES_MAX / 1024} KiB`],
  ['the cards of a node', `${limits.CARDS_PER_NODE_MAX}`],
])('%s: the page says %s', (_what, words) => {
  expect(text).toContain(words);
});
