/** LangChain, in its line before 1.0 and in that of today. */
import * as messages from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { installed } from './client.ts';
import { langchain } from './langchain.ts';
import * as older from './langchain-0.6/index.ts';
import { keepsEveryPromiseTo } from './promises.ts';

keepsEveryPromiseTo([
  ...langchain(older, installed('langchain-0.6/node_modules/@langchain/openai'), {
    // The older one reads no reasoning of chat.
    chat: [],
    responses: ['reasoning'],
  }),
  ...langchain({ messages, ChatOpenAI }, installed('@langchain/openai'), {
    chat: ['reasoning'],
    responses: ['reasoning'],
  }),
]);
