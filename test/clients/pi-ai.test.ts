/** `@mariozechner/pi-ai`, which ended with 0.73. */
import { stream } from '@mariozechner/pi-ai';
import { piAi } from './pi-ai.ts';
import { keepsEveryPromiseTo } from './promises.ts';

keepsEveryPromiseTo(
  piAi(stream, '@mariozechner/pi-ai', {
    chat: ['length as an ending'],
    // It takes an incomplete response for a complete one.
    responses: [],
  }),
);
