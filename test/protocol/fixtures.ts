/** The golden frames: the plaintext of whole records, and what must come of each. */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Fault, joinFrames, pack, packedBytes, readFrames } from '../../src/protocol/codec.ts';
import type { Frame } from '../../src/protocol/frame.ts';

const Valid = z.strictObject({
  name: z.string(),
  hex: z.string(),
  /** Bytes are written as hex. */
  frames: z.array(z.record(z.string(), z.unknown())),
  /** What it becomes when it is written again, where that is not the same. */
  again: z.string().optional(),
});

const Invalid = z.strictObject({ name: z.string(), hex: z.string(), closeCode: z.int() });

function load<T>(folder: string, schema: z.ZodType<T>): (T & { file: string })[] {
  const at = new URL(`../../fixtures/frames/${folder}/`, import.meta.url);
  return readdirSync(at).map((file) => ({
    ...schema.parse(JSON.parse(readFileSync(new URL(file, at), 'utf8'))),
    file,
  }));
}

export const validRecords = load('valid', Valid);
export const invalidRecords = load('invalid', Invalid);

export interface Decoded {
  readonly frames: readonly Frame[];
  readonly fault: Fault | undefined;
}

export function decode(plain: Buffer): Decoded {
  const frames: Frame[] = [];
  const fault = readFrames(plain, (frame) => {
    frames.push(frame);
    return 'go on';
  });
  return { frames, fault };
}

export function encode(frames: readonly Frame[]): Buffer {
  const packed = frames.map(pack);
  return joinFrames(
    packed,
    packed.reduce((sum, frame) => sum + packedBytes(frame), 0),
  );
}

/** As the fixtures write frames. */
export function readable(frame: Frame): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(frame).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
}
