/** What `pi-ai` became: its own newer line, and the one that OpenClaw made of it. */
import { stream } from '@earendil-works/pi-ai/compat';
import { createLlmRuntime } from '@openclaw/ai';
import { registerBuiltInApiProviders } from '@openclaw/ai/providers';
import { piAi } from '../pi-ai.ts';
import { keepsEveryPromiseTo } from '../promises.ts';

const openClaw = createLlmRuntime();
registerBuiltInApiProviders(openClaw.registry);

const ENDINGS = { chat: ['length as an ending'], responses: ['length as an ending'] } as const;

keepsEveryPromiseTo([
  ...piAi(stream, '@earendil-works/pi-ai', ENDINGS),
  ...piAi(openClaw.stream, '@openclaw/ai', ENDINGS),
]);
