/** Responses (openai-responses). */
import { ResponsesGatherer } from './responses/gatherer.ts';
import { HeldResponse } from './responses/held-response.ts';
import { withResponsesNote } from './responses/note.ts';
import { responsesMender } from './responses/mend/mender.ts';
import { mendResponsesReply } from './responses/mend/reply.ts';
import { readResponsesRequest } from './responses/read-request.ts';
import { readResponsesReply, writeResponsesReply } from './responses/reply.ts';
import { ResponsesStreamReader } from './responses/stream-reader.ts';
import { ResponsesStreamWriter } from './responses/stream-writer.ts';
import { hasDoneItem, ResponsesWatch, responsesEndingOf } from './responses/watch.ts';
import { responsesStreamOf } from './responses/whole-events.ts';
import { leftOutOfResponses, writeResponsesRequest } from './responses/write-request.ts';
import { sse } from './framing/framing.ts';
import type { DialectShape } from './shape.ts';

export const responses: DialectShape = {
  name: 'responses',
  path: '/responses',
  framing: sse,
  abilities: new Set(['addedTools', 'allowedTools', 'hostedTools', 'namespaces', 'customTools']),
  watch: () => new ResponsesWatch(),
  isRepeated: hasDoneItem,
  held: (context) => new HeldResponse(context),
  mender: responsesMender,
  mendReply: mendResponsesReply,
  endingOf: responsesEndingOf,
  withNote: withResponsesNote,
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
