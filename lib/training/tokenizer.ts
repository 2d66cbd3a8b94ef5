import { CrossThinkError, invalidValue } from '../errors.js';

/** Ends every answer. */
export const END = '<eos>';

/**
 * A compact tokenizer for small policies: a fixed list of strings, matched greedily, longest first. Lossless: a text is
 * the concatenation of its tokens, and a text that cannot be written with the list is an error, never altered.
 */
export class CompactTokenizer {
  readonly #ids: ReadonlyMap<string, number>;
  /** Tokens by their first character, longest first. */
  readonly #byFirst = new Map<string, string[]>();
  /** Text of each token id. */
  readonly tokens: readonly string[];
  readonly endId: number;

  /** @param tokens different, non-empty strings; must contain `<eos>`. */
  constructor(tokens: readonly string[]) {
    this.tokens = tokens;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    const end = this.#ids.get(END);
    if (end === undefined) throw invalidValue('tokens', `a list with ${END}`, tokens);
    if (this.#ids.size !== tokens.length || tokens.includes('')) {
      throw invalidValue('tokens', 'different, non-empty strings', tokens);
    }
    this.endId = end;
    for (const token of tokens) {
      const first = token.charAt(0);
      this.#byFirst.set(first, [...(this.#byFirst.get(first) ?? []), token]);
    }
    for (const list of this.#byFirst.values()) list.sort((a, b) => b.length - a.length);
  }

  get size(): number {
    return this.tokens.length;
  }

  /** Token ids of a text. Throws `ERR_INVALID_ARG_VALUE` where no token fits. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (let at = 0; at < text.length;) {
      const token = this.#byFirst.get(text.charAt(at))?.find((candidate) => text.startsWith(candidate, at));
      const id = token === undefined ? undefined : this.#ids.get(token);
      if (token === undefined || id === undefined) {
        const place = JSON.stringify(text.slice(at, at + 12));
        throw new CrossThinkError('ERR_INVALID_ARG_VALUE', `text has no token at ${place} (character ${at})`, {
          field: 'text',
        });
      }
      ids.push(id);
      at += token.length;
    }
    return ids;
  }

  /** Text of token ids; `<eos>` is written as such. */
  decode(ids: readonly number[]): string {
    return ids
      .map((id) => {
        const token = this.tokens[id];
        if (token === undefined) throw invalidValue('ids', `token ids below ${this.size}`, id);
        return token;
      })
      .join('');
  }

  /**
   * A tokenizer for the given texts: `<eos>`, the fixed strings, every character that occurs, and the most frequent words
   * (with the space before them) up to `size` tokens.
   */
  static fromTexts(texts: Iterable<string>, { fixed = [] as readonly string[], size = 512 } = {}): CompactTokenizer {
    const counts = new Map<string, number>();
    const characters = new Set<string>();
    for (const text of texts) {
      for (const character of text) characters.add(character);
      for (const [word] of text.matchAll(/ ?[A-Za-z]{2,}/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const tokens = new Set([END, ...fixed, ...[...characters].sort()]);
    const words = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    for (const [word, count] of words) {
      if (tokens.size >= size || count < 2) break;
      tokens.add(word);
    }
    return new CompactTokenizer([...tokens]);
  }
}
