/** What a row of each data set becomes; rows are ours, in the fields of the originals. */
export interface Case {
  readonly adapter: string;
  readonly row: unknown;
  readonly file?: string;
  readonly envelope?: Record<string, unknown>;
  readonly question: string;
  readonly options?: readonly string[];
  readonly answer: object;
  readonly domain?: 'general' | 'math';
  readonly subject?: string;
}

export const chat = (content: string): object[] => [{ role: 'user', content }];
export const roll = (tag: string, prompt: string, gold: string): object => ({
  id: '1',
  source: tag,
  prompt,
  messages: JSON.stringify([{ role: 'system', content: 'Think.' }, ...chat(prompt)]),
  ground_truth: gold,
  tag,
});
export const integer = (value: string): object => ({ type: 'integer', value });
export const option = (value: string): object => ({ type: 'option', value });
export const text = (value: string): object => ({ type: 'text', value });
