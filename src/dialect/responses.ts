/** Responses (openai-responses). */
import { ResponsesGatherer } from './responses/gatherer.ts';
import { readResponsesRequest } from './responses/read-request.ts';
import { readResponsesReply, writeResponsesReply } from './responses/reply.ts';
import { ResponsesStreamReader } from './responses/stream-reader.ts';
import { ResponsesStreamWriter } from './responses/stream-writer.ts';
import { ResponsesWatch, responsesEndingOf } from './responses/watch.ts';
import { responsesStreamOf } from './responses/whole-events.ts';
import { leftOutOfResponses, writeResponsesRequest } from './responses/write-request.ts';
import type { DialectShape } from './shape.ts';

export const responses: DialectShape = {
  name: 'responses',
  path: '/responses',
  watch: () => new ResponsesWatch(),
  mender: () => undefined,
  endingOf: responsesEndingOf,
  readRequest: readResponsesRequest,
  writeRequest: writeResponsesRequest,
  leftOut: leftOutOfResponses,
  readReply: readResponsesReply,
  writeReply: writeResponsesReply,
  streamOf: responsesStreamOf,
  gatherer: () => new ResponsesGatherer(),
  streamReader: () => new ResponsesStreamReader(),
  streamWriter: (context) => new ResponsesStreamWriter(context),
};
