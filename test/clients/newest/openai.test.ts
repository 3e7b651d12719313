/** The newest `openai`. */
import OpenAI7 from 'openai7';
import { openai } from '../openai.ts';
import { keepsEveryPromiseTo } from '../promises.ts';

keepsEveryPromiseTo(openai(OpenAI7, 'openai7'));
