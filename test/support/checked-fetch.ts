/** Runs beside every test file: what `fetch` reads as a stream, by itself or inside of a client library, keeps the rules. */
import { checkStream } from './checked-streams.ts';

const plain = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const response = await plain(input, init);
  const type = response.headers.get('content-type') ?? '';
  if (response.body === null || !type.startsWith('text/event-stream')) return response;
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(checking()), { status, statusText, headers });
};

/** The same bytes; a breach is told as the failure of the stream. A connection that breaks is told as it is. */
function checking(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let text = '';
  return new TransformStream({
    transform(chunk, controller) {
      text += decoder.decode(chunk, { stream: true });
      controller.enqueue(chunk);
    },
    flush() {
      checkStream(text, true);
    },
  });
}
