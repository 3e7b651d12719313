/** Chat Completions (openai-completions). */
import { FinishMender } from './chat/finish-mender.ts';
import { ChatGatherer } from './chat/gatherer.ts';
import { readChatRequest } from './chat/read-request.ts';
import { readChatReply, writeChatReply } from './chat/reply.ts';
import { ChatStreamReader } from './chat/stream-reader.ts';
import { ChatStreamWriter } from './chat/stream-writer.ts';
import { ChatWatch, chatEndingOf } from './chat/watch.ts';
import { chatStreamOf } from './chat/whole-chunks.ts';
import { leftOutOfChat, writeChatRequest } from './chat/write-request.ts';
import type { DialectShape } from './shape.ts';

export const chat: DialectShape = {
  name: 'chat',
  path: '/chat/completions',
  watch: () => new ChatWatch(),
  mender: () => new FinishMender(),
  endingOf: chatEndingOf,
  readRequest: readChatRequest,
  writeRequest: writeChatRequest,
  leftOut: leftOutOfChat,
  readReply: readChatReply,
  writeReply: writeChatReply,
  streamOf: chatStreamOf,
  gatherer: () => new ChatGatherer(),
  streamReader: (tools) => new ChatStreamReader(tools),
  streamWriter: (context) => new ChatStreamWriter(context),
};
