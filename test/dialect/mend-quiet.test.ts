/** A watch may skip what its mender calls quiet: whatever that skips, it knows the same of the end. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import type { Ending } from '../../src/dialect/shape.ts';
import { countingTools } from './scripted.ts';

interface Told {
  readonly ending: Ending | undefined;
  readonly skipped: number;
}

/** The whole events of each golden stream of a server. */
const streamsOf = (dialect: Dialect): readonly (readonly string[])[] => {
  const folder = new URL(`../../fixtures/dialect/${dialect}-upstream/`, import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.upstream.sse'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8').replaceAll('\r\n', '\n'))
    .map((text) => text.split(/(?<=\n\n)/).filter((event) => event.endsWith('\n\n')));
};

function told(dialect: Dialect, chunks: readonly string[], skips: boolean): Told {
  const shape = shapes[dialect];
  const mender = shape.mender({ repair: true, thinkTags: false, model: 'm', tools: countingTools() });
  const watch = shape.watch();
  let skipped = 0;
  for (const chunk of chunks) {
    const events = mender?.mend(Buffer.from(chunk)) ?? Buffer.from(chunk);
    if (skips && mender?.isQuiet === true) {
      skipped++;
      watch.skip(events);
    } else watch.see(events);
  }
  return { ending: watch.ending, skipped };
}

/** The events in chunks of one or more. */
function inChunks(events: readonly string[], sizes: readonly number[]): string[] {
  const chunks: string[] = [];
  for (let at = 0, turn = 0; at < events.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(events.slice(at, at + size).join(''));
    at += size;
  }
  return chunks;
}

describe.each<Dialect>(['chat', 'responses'])('a %s stream', (dialect) => {
  const streams = streamsOf(dialect);

  test('ends the same whether or not its watch skips what is quiet, however its events come', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...streams),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
        (events, sizes) => {
          const chunks = inChunks(events, sizes);
          expect(told(dialect, chunks, true).ending).toEqual(told(dialect, chunks, false).ending);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('has quiet chunks, which are not searched twice', () => {
    const skipped = streams.map((events) => told(dialect, events, true).skipped);
    expect(Math.max(...skipped)).toBeGreaterThan(0);
  });
});
