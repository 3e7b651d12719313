/** Chat Completions (openai-completions). */
import { ChatGatherer } from './chat/gatherer.ts';
import { chatMender } from './chat/mend/mender.ts';
import { mendChatReply } from './chat/mend/reply.ts';
import { withChatNote } from './chat/note.ts';
import { readChatRequest } from './chat/read-request.ts';
import { readChatReply, writeChatReply } from './chat/reply.ts';
import { ChatStreamReader } from './chat/stream-reader.ts';
import { ChatStreamWriter } from './chat/stream-writer.ts';
import { ChatWatch, chatEndingOf } from './chat/watch.ts';
import { chatStreamOf } from './chat/whole-chunks.ts';
import { leftOutOfChat, writeChatRequest } from './chat/write-request.ts';
import { sse } from './framing/framing.ts';
import type { DialectShape } from './shape.ts';

export const chat: DialectShape = {
  name: 'chat',
  path: '/chat/completions',
  framing: sse,
  // OpenAI itself knows more, and takes what stands for it as well.
  abilities: new Set(['stop']),
  watch: () => new ChatWatch(),
  mender: chatMender,
  mendReply: mendChatReply,
  endingOf: chatEndingOf,
  withNote: withChatNote,
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
