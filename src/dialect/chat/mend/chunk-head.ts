/** What all chunks of a stream have in common: the same for each of them, whatever the server leaves out. */
import type { JsonObject } from '../../../lib/json.ts';
import { amended, isText } from '../../mend/amended.ts';
import type { Mending } from '../../shape.ts';

export class ChunkHead {
  readonly #mending: Mending;
  #id: string | undefined;
  #created: number | undefined;
  #model: string | undefined;

  constructor(mending: Mending) {
    this.#mending = mending;
  }

  /** For a chunk of our own. */
  get fields(): JsonObject {
    const { tools, model } = this.#mending;
    this.#id ??= tools.randomId('chatcmpl-');
    this.#created ??= Math.floor(tools.wall() / 1000);
    this.#model ??= model;
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model };
  }

  /** The first id counts: clients take another one for another answer. */
  mend(chunk: JsonObject): JsonObject {
    const { id, created, model } = chunk;
    if (isText(id)) this.#id ??= id;
    if (typeof created === 'number') this.#created ??= created;
    if (isText(model)) this.#model ??= model;
    const fields = this.fields;
    return amended(chunk, {
      id: fields.id,
      object: fields.object,
      created: typeof created === 'number' ? created : fields.created,
      model: isText(model) ? model : fields.model,
    });
  }
}
