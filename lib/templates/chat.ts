import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { CrossThinkError } from '../errors.js';
import type { Message } from './prompt.js';

/** What is used of `@huggingface/tokenizers`: its own types do not resolve for CommonJS. */
interface Tokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: readonly number[] };
}
type TokenizerClass = new (tokenizer: unknown, config: unknown) => Tokenizer;
const { Tokenizer } = createRequire(__filename)('@huggingface/tokenizers') as { readonly Tokenizer: TokenizerClass };

/** A model's tokenizer and chat template, from its local folder. */
export class ChatModel {
  readonly #tokenizer: Tokenizer;
  readonly #template: Template | undefined;
  readonly #variables: Readonly<Record<string, unknown>>;

  private constructor(
    tokenizer: Tokenizer,
    template: string | undefined,
    variables: Readonly<Record<string, unknown>>,
  ) {
    this.#tokenizer = tokenizer;
    this.#template = template === undefined ? undefined : new Template(template);
    this.#variables = variables;
  }

  /**
   * Loads `tokenizer.json`, and the chat template of `tokenizer_config.json` or `chat_template.jinja`, from a folder as the
   * Hugging Face hub has them. Nothing is downloaded.
   */
  static async load(folder: string): Promise<ChatModel> {
    const tokenizer = await readJson(join(folder, 'tokenizer.json'));
    const none: Record<string, unknown> = {};
    const config = await readJson(join(folder, 'tokenizer_config.json')).catch(() => none);
    const separate = await readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(() => undefined);
    const template = separate ?? defaultTemplate(config['chat_template']);
    const variables = { bos_token: tokenText(config['bos_token']), eos_token: tokenText(config['eos_token']) };
    return new ChatModel(new Tokenizer(tokenizer, config), template, variables);
  }

  /** The messages as the model reads them; `addGenerationPrompt` (default true) opens the assistant's turn. */
  render(messages: readonly Message[], options: { addGenerationPrompt?: boolean } = {}): string {
    if (this.#template === undefined) {
      throw new CrossThinkError('ERR_SCHEMA', 'the model has no chat template: add chat_template.jinja to its folder');
    }
    return this.#template.render({
      messages: messages.map((message) => ({ ...message })),
      add_generation_prompt: options.addGenerationPrompt ?? true,
      ...this.#variables,
    });
  }

  /** Number of tokens of a text, special tokens of the template not added again. */
  countTokens(text: string): number {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids.length;
  }
}

/** Templates may be one text, or a list of named ones. */
function defaultTemplate(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  if (!Array.isArray(given)) return undefined;
  const named = given as readonly { name?: unknown; template?: unknown }[];
  const chosen = named.find(({ name }) => name === 'default') ?? named[0];
  return typeof chosen?.template === 'string' ? chosen.template : undefined;
}

/** Special tokens are texts, or objects with their text under `content`. */
function tokenText(token: unknown): string {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : '';
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', `cannot read ${file}: give the folder of a model's tokenizer`, {
      file,
      cause,
    });
  });
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new CrossThinkError('ERR_PARSE', 'not a JSON file', { file, cause });
  }
}
