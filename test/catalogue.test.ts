/**
 * The fault catalogue's groups of the direct link, the upstream and the HTTP edge: each case is a test that begins with its id, or
 * stands here with the reason why it cannot be one yet. The long forms are in `soak/`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

type Case =
  | { readonly says: string; readonly tested: readonly string[]; readonly note?: string }
  | { readonly says: string; readonly notYet: string };

const CASES: Readonly<Record<string, Case>> = {
  // Handshake
  HS1: {
    says: 'wrong network key at the gate',
    tested: ['mesh/catalogue-handshake', 'mesh/gate', 'mesh/mesh'],
  },
  HS2: { says: 'Origin on the mesh port', tested: ['mesh/catalogue-handshake'] },
  HS3: {
    says: 'connect and say nothing, or a byte now and then; the 33rd that waits',
    tested: ['mesh/catalogue-handshake', 'mesh/link', 'lib/socket'],
  },
  HS4: {
    says: 'replay of message 1, message 3, a whole session',
    tested: ['mesh/catalogue-handshake', 'mesh/handshake', 'mesh/gate'],
  },
  HS5: {
    says: 'reflection, swapped roles, a man in the middle',
    tested: ['mesh/handshake', 'mesh/catalogue-handshake'],
  },
  HS6: {
    says: 'another valid node than the one dialled',
    tested: ['mesh/handshake', 'mesh/mesh', 'mesh/catalogue-handshake'],
  },
  HS7: {
    says: 'low-order points, wrong lengths, a signature in another form, a tag of four bytes',
    tested: ['mesh/handshake', 'mesh/identity', 'mesh/cipher'],
  },
  HS8: { says: 'an application frame before ready', tested: ['mesh/link', 'mesh/catalogue-handshake'] },
  HS9: {
    says: 'an edited version range; no common version',
    tested: ['mesh/handshake', 'mesh/catalogue-handshake'],
    note: 'the range travels sealed, in ready: in message 1 there is nothing to edit',
  },
  HS10: { says: 'both sides dial at once', tested: ['mesh/dialling'] },
  HS11: { says: 'invites, used again or raced for', notYet: 'there are no invites: they come with trust' },
  HS12: {
    says: 'expired and early certificates',
    notYet: 'there are no certificates: `ready` carries an empty one until trust',
  },
  HS13: {
    says: 'handshakes and failing ones, by the thousand',
    tested: ['mesh/catalogue-handshake'],
    note: 'soak: handshakes',
  },
  // Frames
  FR1: { says: 'a header that declares 2^48 bytes', tested: ['lib/socket'] },
  FR2: { says: 'over the cap, too many fragments, unmasked, RSV bits', tested: ['lib/socket'] },
  FR3: { says: 'permessage-deflate', tested: ['lib/socket'] },
  FR4: {
    says: 'bits flipped, records dropped, doubled, swapped',
    tested: ['mesh/cipher', 'mesh/link-records'],
  },
  FR5: { says: 'random and mutated frames', tested: ['protocol/fuzz'], note: 'soak: frames' },
  FR6: {
    says: 'types and members that are not known',
    tested: ['protocol/catalogue-frames', 'protocol/golden', 'mesh/announcing'],
    note: 'nothing is passed on yet, so nothing has to be preserved',
  },
  FR7: { says: 'rekey under load; the counter near its limit', tested: ['mesh/link-records', 'mesh/cipher'] },
  FR8: {
    says: 'data for calls that are not open or not the peer’s; end twice; credit overflow',
    tested: [
      'mesh/exchange-rude-entry',
      'mesh/exchange-rude-owner',
      'mesh/catalogue-links',
      'protocol/catalogue-frames',
    ],
  },
  FR9: { says: 'odd JSON in control frames', tested: ['protocol/catalogue-frames'] },
  // Upstream
  UP1: { says: 'every kind of refusal and of wrong body', tested: ['upstream/catalogue-replies'] },
  UP2: { says: 'silence before the first byte, and in the middle', tested: ['upstream/catalogue-breaks'] },
  UP3: { says: 'ends too early, in every place', tested: ['upstream/catalogue-breaks'] },
  UP4: { says: 'bytes without measure, bombs, no text', tested: ['upstream/catalogue-floods'] },
  UP5: { says: 'redirects', tested: ['upstream/catalogue-replies'] },
  UP6: { says: 'addresses that are others than they say', tested: ['upstream/catalogue-names'] },
  UP7: { says: 'fields of the body that would steer', tested: ['upstream/upstream'] },
  UP8: { says: 'one owner always answers 503', tested: ['routing/failover'] },
  // HTTP edge
  HE1: {
    says: 'Host of another',
    tested: ['http/guard'],
    note: 'the port of a loopback name is not compared, so that ssh -L works',
  },
  HE2: { says: 'Origin of another, Sec-Fetch-Site', tested: ['http/guard'] },
  HE3: { says: 'bodies that a page can send unasked; preflight', tested: ['http/guard'] },
  HE4: {
    says: 'a browser’s page: fetch, EventSource, WebSocket, rebinding',
    tested: ['http/catalogue-edge'],
    note: 'sends what a browser sends; no browser runs: it would be a dependency of half a gigabyte',
  },
  HE5: { says: 'ten thousand wrong keys', tested: ['http/catalogue-keys'] },
  HE6: {
    says: 'slow, many, large and odd headers; pipelining',
    tested: ['http/catalogue-edge', 'http/guard', 'http/calls'],
    note: 'headers are bounded by their bytes: beyond a count Node drops some without a word',
  },
  HE7: {
    says: 'bodies over the limit, and lengths that lie',
    tested: ['http/guard', 'http/calls', 'http/catalogue-edge'],
  },
  HE8: {
    says: 'idle connections over the cap; churn',
    tested: ['http/catalogue-edge'],
    note: 'soak: connections',
  },
  HE9: {
    says: 'spoofed X-Forwarded-*',
    tested: ['http/guard', 'http/catalogue-keys', 'http/catalogue-edge'],
  },
  HE10: { says: 'a key with a list of models', notYet: 'keys have no lists of models: they come with trust' },
};

const here = dirname(fileURLToPath(import.meta.url));
/** The ids that tests of a file begin with. */
const idsIn = new Map(
  readdirSync(here, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
    .map((file) => {
      const names = readFileSync(join(here, file), 'utf8').matchAll(/['"`]([A-Z]{2}\d+): /g);
      return [file.replace(/\.test\.ts$/, ''), new Set([...names].map(([, id]) => id))] as const;
    }),
);

test.each(Object.entries(CASES))('%s has its tests, or its reason', (id, one) => {
  if ('notYet' in one) {
    expect([...idsIn].filter(([, ids]) => ids.has(id)).map(([file]) => file)).toEqual([]);
    expect(one.notYet).not.toBe('');
    return;
  }
  expect(one.tested.length).toBeGreaterThan(0);
  expect(one.tested.filter((file) => idsIn.get(file)?.has(id) !== true)).toEqual([]);
});

test('no case of these groups is forgotten', () => {
  const group = (letters: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${letters}${index + 1}`);
  expect(Object.keys(CASES)).toEqual([
    ...group('HS', 13),
    ...group('FR', 9),
    ...group('UP', 8),
    ...group('HE', 10),
  ]);
});
