/** The newest Vercel AI SDK. */
import * as sdk from 'ai7';
import { createOpenAICompatible } from 'ai7-compatible';
import { createOpenAI } from 'ai7-openai';
import { aiSdk } from '../ai-sdk.ts';
import { keepsEveryPromiseTo } from '../promises.ts';

keepsEveryPromiseTo(
  aiSdk(
    { sdk, createOpenAI, createOpenAICompatible },
    { sdk: 'ai7', openai: 'ai7-openai', compatible: 'ai7-compatible' },
  ),
);
