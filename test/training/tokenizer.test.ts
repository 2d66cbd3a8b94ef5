import fc from 'fast-check';
import { procedural } from '../../lib/data/adapters/procedural';
import { generateRows, proceduralPhrases } from '../../lib/data/procedural/generate';
import type { Question } from '../../lib/data/question';
import { answerText, buildTokenizer, promptText, responseText } from '../../lib/training/format';
import { CompactTokenizer, END } from '../../lib/training/tokenizer';

test('encoding is greedy, longest first, and lossless', () => {
  const tokenizer = new CompactTokenizer([END, 'a', 'b', 'ab', 'abc', ' ']);
  expect(tokenizer.encode('abcab a').map((id) => tokenizer.tokens[id])).toEqual(['abc', 'ab', ' ', 'a']);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'ab', 'abc', ' ', END)), (parts) => {
      const text = parts.join('');
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }),
  );
});

test('what cannot be written is an error that shows where', () => {
  const tokenizer = new CompactTokenizer([END, 'a']);
  expect(() => tokenizer.encode('aaß')).toThrow(/no token at "ß" \(character 2\)/);
  expect(() => tokenizer.decode([7])).toThrow(/token ids below 2/);
  expect(() => new CompactTokenizer(['a'])).toThrow(/a list with <eos>/);
  expect(() => new CompactTokenizer([END, 'a', 'a'])).toThrow(/different, non-empty strings/);
});

test('a tokenizer from texts holds the fixed strings, every character and the frequent words', () => {
  const tokenizer = CompactTokenizer.fromTexts(['the cat', 'the dog', 'the cat'], { fixed: ['<think>'], size: 100 });
  expect(tokenizer.tokens).toEqual(expect.arrayContaining([END, '<think>', 'a', 'the', ' cat']));
  expect(tokenizer.tokens).not.toContain(' dog');
});

test('every embedded question with its worked answer fits the default context, and is written without loss', () => {
  const rows = generateRows({ perForm: 200 }).filter(({ steps }) => steps !== '');
  const texts = rows.map((row, i) => {
    const question = procedural.parse(row, { file: 'rows', row: i + 1 }) as Question;
    return promptText(question) + answerText(row.steps, row.answer) + END;
  });
  const tokenizer = buildTokenizer(texts, proceduralPhrases(), 0);
  expect(tokenizer.size).toBeLessThan(560);
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(ids.length).toBeLessThanOrEqual(64);
  }
  expect(responseText(tokenizer, tokenizer.encode(`\\boxed{4}${END}`))).toBe('\\boxed{4}');
});
