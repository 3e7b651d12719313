/** A Chat Completions request as its server takes it: what that is known not to take is changed, and nothing else. */
import type { Compat } from '../../core/compat.ts';
import { isObject } from '../../lib/json.ts';
import { fitMessages } from './fit-messages.ts';
import { type Fitted, Fitting } from './fitting.ts';

export function fitChat(body: Uint8Array, compat: Compat, stream: boolean): Fitted {
  const fitting = new Fitting(body, compat, stream);
  fitLimit(fitting);
  fitting.fitAccount();
  fitUsage(fitting);
  fitProgress(fitting);
  fitEffort(fitting);
  fitting.fitTools();
  fitMessages(fitting);
  return fitting.fitted;
}

const LIMITS = ['max_tokens', 'max_completion_tokens'] as const;

/** Where both names are there one stays: some servers refuse two. */
function fitLimit({ members, compat: { maxTokensField } }: Fitting): void {
  if (maxTokensField === undefined) return;
  const other = LIMITS.find((name) => name !== maxTokensField) ?? maxTokensField;
  // A limit that says null would take the place of one that says a number.
  if (members.text(maxTokensField)?.toString() === 'null' && members.has(other))
    members.remove(maxTokensField);
  members.rename(other, maxTokensField);
}

function fitUsage(fitting: Fitting): void {
  const { members, stream, compat } = fitting;
  if (compat.supportsUsageInStreaming === false) fitting.leaveOut('stream_options');
  if (compat.supportsUsageInStreaming !== true || !stream) return;
  const written = members.value('stream_options') ?? {};
  if (!isObject(written) || written.include_usage === true) return;
  members.set('stream_options', { ...written, include_usage: true });
  fitting.asksUsage = true;
}

/** A client that writes this key itself sees what comes of it. */
function fitProgress(fitting: Fitting): void {
  const { members, stream, compat } = fitting;
  if (compat.returnsProgress !== true || !stream || members.has('return_progress')) return;
  members.set('return_progress', true);
  fitting.asksProgress = true;
}

/** How much the model is to think, in the form that the server has for it. */
function fitEffort(fitting: Fitting): void {
  const { members, compat } = fitting;
  const written = members.value('reasoning_effort');
  if (typeof written !== 'string') return;
  const effort = fitting.mapped(written);
  const thinks = effort !== 'none';
  switch (compat.thinkingFormat) {
    case 'openrouter':
      members.remove('reasoning_effort');
      // What the client wrote for this very server says more.
      if (!members.has('reasoning')) members.set('reasoning', { effort });
      return;
    case 'qwen':
      members.remove('reasoning_effort');
      if (!members.has('enable_thinking')) members.set('enable_thinking', thinks);
      return;
    case 'qwen-chat-template':
      members.remove('reasoning_effort');
      return setTemplateSwitch(fitting, thinks);
    case 'deepseek':
      if (!members.has('thinking')) members.set('thinking', { type: thinks ? 'enabled' : 'disabled' });
      if (!thinks || compat.supportsReasoningEffort === false) members.remove('reasoning_effort');
      else if (effort !== written) members.set('reasoning_effort', effort);
      return;
    case 'openai':
    case undefined:
      if (compat.supportsReasoningEffort === false) fitting.leaveOut('reasoning_effort');
      else if (effort !== written) members.set('reasoning_effort', effort);
  }
}

function setTemplateSwitch({ members }: Fitting, thinks: boolean): void {
  const written = members.value('chat_template_kwargs') ?? {};
  if (!isObject(written) || 'enable_thinking' in written) return;
  members.set('chat_template_kwargs', { ...written, enable_thinking: thinks });
}
