/** A small body as text: read whole, or no further than a limit. */

export interface TextRead {
  /** What came, with the chunk that went over the limit. */
  readonly text: string;
  readonly isWhole: boolean;
}

/** Leaves the body where it is longer than that. Throws what the body throws. */
export async function readText(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<TextRead> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) break;
  }
  return { text: Buffer.concat(chunks, bytes).toString('utf8'), isWhole: bytes <= bytesMax };
}
