/** The majors of the Vercel AI SDK that run on every Node this project runs on. */
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import * as sdk from 'ai';
import * as sdk5 from 'ai5';
import { createOpenAICompatible as createOpenAICompatible5 } from 'ai5-compatible';
import { createOpenAI as createOpenAI5 } from 'ai5-openai';
import { aiSdk } from './ai-sdk.ts';
import { keepsEveryPromiseTo } from './promises.ts';

const modules5 = {
  sdk: sdk5,
  createOpenAI: createOpenAI5,
  createOpenAICompatible: createOpenAICompatible5,
};

keepsEveryPromiseTo([
  ...aiSdk(modules5, { sdk: 'ai5', openai: 'ai5-openai', compatible: 'ai5-compatible' }),
  ...aiSdk(
    { sdk, createOpenAI, createOpenAICompatible },
    { sdk: 'ai', openai: '@ai-sdk/openai', compatible: '@ai-sdk/openai-compatible' },
  ),
]);
