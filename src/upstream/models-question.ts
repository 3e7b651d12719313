/** How a server is asked for its models by who runs no daemon: the address, the headers, and the ids in what it answers. */
import type { Dialect } from '../core/call.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import { shapes } from '../dialect/dialects.ts';
import { listHeaders, listUrl } from './list-request.ts';
import { idsIn } from './model-list.ts';

export interface ModelsQuestion {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where the text is no list of models. */
  readonly idsIn: (text: string) => readonly string[] | undefined;
}

export function modelsQuestion(
  server: Pick<UpstreamSpec, 'baseUrl' | 'apiKey' | 'headers'>,
  dialect: Dialect,
): ModelsQuestion {
  const shape = shapes[dialect];
  return {
    url: listUrl(server, shape).href,
    headers: listHeaders(server, shape),
    idsIn: (text) => idsIn(text, shape.modelList),
  };
}
