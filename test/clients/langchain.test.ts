/** LangChain, in its line before 1.0 and in that of today. */
import * as messages from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { type Ability, installed } from './client.ts';
import { langchain } from './langchain.ts';
import * as older from './langchain-0.6/index.ts';
import { keepsEveryPromiseTo } from './promises.ts';

const ENDINGS: readonly Ability[] = ['length as an ending', 'a filter as an ending'];

keepsEveryPromiseTo([
  ...langchain(older, installed('langchain-0.6/node_modules/@langchain/openai'), {
    // It reads no reasoning of chat, and of Responses neither why an answer is incomplete.
    chat: ENDINGS,
    responses: ['reasoning', 'text beside its calls'],
  }),
  ...langchain({ messages, ChatOpenAI }, installed('@langchain/openai'), {
    chat: ['reasoning', 'text beside its calls', ...ENDINGS],
    responses: ['reasoning', 'text beside its calls', ...ENDINGS],
  }),
]);
