/** The `openai` package on Responses. */
import type OpenAI from 'openai6';
import { CITY, type Client, cityOf, type Heard, type Question, WEATHER } from './client.ts';
import { ABILITIES, connect, failure, models, type Said, type Sdk } from './openai-package.ts';

type ResponseParams = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'>;

export function responses(Sdk: Sdk, name: string): Client {
  return {
    name,
    api: 'responses',
    abilities: [...ABILITIES, 'reasoning of earlier turns', 'references'],
    models: (url) => models(Sdk, url),
    failure: (error) => failure(Sdk, error),
    async ask(place, question) {
      const client = connect(Sdk, place.url);
      const pieces: string[] = [];
      let input: OpenAI.Responses.ResponseInput = [];
      let before: string | undefined;
      let heard: Heard | undefined;
      for (const content of [responsesContent(question), ...(question.andThen ?? [])]) {
        input.push({ role: 'user', content });
        for (heard = undefined; heard === undefined;) {
          const body = { model: place.model, input, ...responseOptions(question, before) };
          const said = question.isWhole
            ? { pieces: [], answer: await client.responses.create(body) }
            : await responsesStream(client, body);
          pieces.push(...said.pieces);
          const { output, status, error, id } = said.answer;
          // The helper leaves it to its user to look.
          if (status !== 'completed' && status !== 'incomplete')
            throw new Sdk.OpenAIError(error?.message ?? `an answer that is ${status}`);
          before = id;
          input = question.byReference ? [] : [...input, ...output.map(asInput)];
          const calls = output.filter((item) => item.type === 'function_call');
          for (const call of calls) {
            const result = question.weather?.(cityOf(call.arguments)) ?? '';
            input.push({ type: 'function_call_output', call_id: call.call_id, output: result });
          }
          if (calls.length === 0) heard = responseHeard(said.answer, pieces);
        }
      }
      return heard ?? Promise.reject(new Error('nothing was asked'));
    },
  };
}

function responseOptions(
  { weather, asJson, byReference }: Question,
  before: string | undefined,
): Omit<ResponseParams, 'model' | 'input'> {
  return {
    ...(byReference
      ? { previous_response_id: before ?? null }
      : { store: false, include: ['reasoning.encrypted_content'] }),
    ...(weather && { tools: [{ type: 'function', strict: true, ...WEATHER }] }),
    ...(asJson && {
      text: { format: { type: 'json_schema', name: 'city', strict: true, schema: CITY } },
    }),
  };
}

async function responsesStream(
  client: OpenAI,
  body: ResponseParams,
): Promise<Said<OpenAI.Responses.Response>> {
  const pieces: string[] = [];
  const stream = client.responses.stream(body);
  let ended: OpenAI.Responses.Response | undefined;
  stream.on('response.output_text.delta', ({ delta }) => pieces.push(delta));
  // The older majors do not look at it.
  stream.on('response.incomplete', ({ response }) => {
    ended = response;
  });
  const answer = await stream.finalResponse();
  return { pieces, answer: ended ?? answer };
}

function responseHeard(answer: OpenAI.Responses.Response, pieces: readonly string[]): Heard {
  const { output, usage, status, incomplete_details: cut } = answer;
  const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  const thoughts = output.flatMap((item) => (item.type === 'reasoning' ? item.summary : []));
  return {
    // `output_text` is there in some releases only.
    text: parts.map((part) => (part.type === 'output_text' ? part.text : '')).join(''),
    pieces,
    reasoning: thoughts.map(({ text }) => text).join(''),
    refusal: parts.map((part) => (part.type === 'refusal' ? part.refusal : '')).join(''),
    usage: { input: usage?.input_tokens, output: usage?.output_tokens },
    ending: status === 'completed' ? 'stop' : cut?.reason === 'max_output_tokens' ? 'length' : cut?.reason,
  };
}

/** What was said goes back as it came, without what the helper itself put to it. */
function asInput(item: OpenAI.Responses.ResponseOutputItem): OpenAI.Responses.ResponseInputItem {
  if (item.type === 'message') {
    const content = item.content.map((part) =>
      part.type === 'refusal' ? part : { type: part.type, text: part.text, annotations: [] },
    );
    return { ...item, content };
  }
  if (item.type === 'reasoning') return item;
  if (item.type !== 'function_call') throw new Error(`an item of type ${item.type}`);
  const { type, call_id, name, arguments: args } = item;
  return { type, call_id, name, arguments: args };
}

function responsesContent({ text, image }: Question): OpenAI.Responses.ResponseInputContent[] {
  if (image === undefined) return [{ type: 'input_text', text }];
  const image_url = `data:image/png;base64,${image}`;
  return [
    { type: 'input_text', text },
    { type: 'input_image', detail: 'auto', image_url },
  ];
}
