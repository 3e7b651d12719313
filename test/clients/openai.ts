/** The `openai` package, in any of its majors: its stream helpers on both APIs. */
import { type Client, installed } from './client.ts';
import { chat } from './openai-chat.ts';
import type { Sdk } from './openai-package.ts';
import { responses } from './openai-responses.ts';

/** `sdk` is the default export of the package installed as `folder`. Only private members tell the types of the majors apart. */
export function openai(sdk: unknown, folder: string): readonly Client[] {
  const Sdk = sdk as Sdk;
  return [chat(Sdk, installed(folder)), responses(Sdk, installed(folder))];
}
