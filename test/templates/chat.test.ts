import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ChatModel } from '../../lib/templates/chat.js';
import { PROMPT_PRESETS, renderPrompt } from '../../lib/templates/prompt.js';
import { shuffleOptions } from '../../lib/templates/shuffle.js';
import { accepted, choiceQuestion, openQuestion, reasonOf, temporaryFolder } from '../data/fixtures.js';

const folder = temporaryFolder();
const question = choiceQuestion('Which costs $5?', ['Tea', 'Rice', 'Salt'], 'B');

describe('prompt presets', () => {
  it.each(PROMPT_PRESETS)('%s shows question and options and asks for an answer', (preset) => {
    for (const asked of [question, openQuestion()]) {
      const text = renderPrompt(asked, { preset })
        .map(({ content }) => content)
        .join('\n');
      expect(text).toContain(asked.question);
      for (const { text: option } of asked.options ?? []) expect(text).toContain(option);
      expect(text).toMatch(/\\boxed\{|Answer:/);
    }
  });

  it('takes a prompt of one’s own, dollars and all', () => {
    expect(() => renderPrompt(question, { preset: 'r2' as never })).toThrow(/preset must be one of think-boxed, verl/);
    const preset = { system: 'S', user: 'Q: {question}\n{options}\nA:' };
    expect(renderPrompt(question, { preset })).toEqual([
      { role: 'system', content: 'S' },
      { role: 'user', content: 'Q: Which costs $5?\nA. Tea\nB. Rice\nC. Salt\nA:' },
    ]);
    expect(renderPrompt(question, { preset: { user: '{question}' } })[0]?.content).toContain('C. Salt');
    expect(() => renderPrompt(question, { preset: { user: 'x' } })).toThrow(/\{question\}/);
  });
});

describe('ChatModel', () => {
  // A tokenizer of our own: words and single characters, the smallest that the library runs.
  const vocab = ['[UNK]', '<|user|>', '<|assistant|>', 'hello', 'world'];
  writeFileSync(
    join(folder.path, 'tokenizer.json'),
    JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [1, 2].map((id) => ({
        id,
        content: vocab[id],
        special: true,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
      })),
      normalizer: null,
      pre_tokenizer: { type: 'Whitespace' },
      post_processor: null,
      decoder: null,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(vocab.map((token, i) => [token, i])),
      },
    }),
  );
  const template =
    '{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
  writeFileSync(
    join(folder.path, 'tokenizer_config.json'),
    JSON.stringify({ bos_token: { content: '<s>' }, chat_template: template }),
  );

  it('renders chat templates and counts tokens', async () => {
    const model = await ChatModel.load(folder.path);
    const messages = [{ role: 'user', content: 'hello world' }] as const;
    expect(model.render(messages)).toBe('<s><|user|>hello world<|assistant|>');
    expect(model.render(messages, { addGenerationPrompt: false })).toBe('<s><|user|>hello world');
    expect(model.countTokens('<|user|>hello world<|assistant|>')).toBe(4);
    expect(model.countTokens('')).toBe(0);
    await expect(ChatModel.load(join(folder.path, 'none'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  });
});

describe('shuffleOptions', () => {
  it('moves the options and the gold with them, and says how', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 10 }),
        fc.nat(),
        fc.nat(),
        (texts, seed, pick) => {
          const before = choiceQuestion(
            'Which?',
            texts.map((text) => `<${text}>`),
            String.fromCharCode(65 + (pick % texts.length)),
          );
          const after = accepted(shuffleOptions(before, seed));
          const textOf = (q: typeof before): string | undefined =>
            q.options?.find(({ label }) => label === q.answer.value)?.text;
          expect(textOf(after)).toBe(textOf(before));
          const audit = after.provenance.steps.at(-1)?.replace('shuffle:', '') ?? '';
          expect(Array.from(audit, (label) => before.options?.find((o) => o.label === label)?.text)).toEqual(
            after.options?.map((o) => o.text),
          );
          expect(shuffleOptions(before, seed)).toEqual(after);
        },
      ),
    );
  });

  it('leaves open questions alone and drops options about options', () => {
    const open = openQuestion();
    expect(shuffleOptions(open)).toBe(open);
    expect(reasonOf(shuffleOptions(choiceQuestion('Which?', ['x', 'All of the above'])))).toBe('all-of-the-above');
  });
});
