/** The majors of `openai` that run on every Node this project runs on. */
import OpenAI4 from 'openai4';
import OpenAI5 from 'openai5';
import OpenAI6 from 'openai6';
import { openai } from './openai.ts';
import { keepsEveryPromiseTo } from './promises.ts';

keepsEveryPromiseTo([
  ...openai(OpenAI4, 'openai4'),
  ...openai(OpenAI5, 'openai5'),
  ...openai(OpenAI6, 'openai6'),
]);
