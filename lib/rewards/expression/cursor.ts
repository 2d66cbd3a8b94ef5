import { NotMath } from './ast.js';
import type { Budget } from '../budget.js';
import type { Token } from './lexer.js';

/** Deepest nesting parsed; deeper strings are refused, so that recursion is bounded. */
export const maximumDepth = 64;

/** A position in a list of tokens, with one token of look-ahead and the bookkeeping every level of the grammar needs. */
export class Cursor {
  private position = 0;
  private depth = 0;
  /** Open `|…|` pairs: inside one, `|` closes. */
  bars = 0;
  /** Inside `]a, b[`: there `[` closes. */
  reversed = false;

  private readonly tokens: Token[];

  constructor(
    tokens: readonly Token[],
    readonly source: string,
    readonly budget: Budget,
  ) {
    this.tokens = [...tokens];
  }

  get peek(): Token {
    return this.look(0);
  }

  look(ahead: number): Token {
    return this.tokens[Math.min(this.position + ahead, this.tokens.length - 1)] ?? end;
  }

  next(): Token {
    this.budget.spend();
    const token = this.peek;
    this.position++;
    return token;
  }

  is(t: Token['t'], v?: string): boolean {
    const token = this.peek;
    return token.t === t && (v === undefined || token.v === v);
  }

  take(t: Token['t'], v?: string): boolean {
    if (!this.is(t, v)) return false;
    this.next();
    return true;
  }

  expect(t: Token['t'], v: string): void {
    if (!this.take(t, v)) throw new NotMath(`expected ${v}, found ${this.peek.v}`);
  }

  /** The first digit of a number, the rest staying behind: how LaTeX reads the 12 of `\\frac12`. */
  takeDigit(): string {
    const token = this.next();
    if (token.v.length === 1) return token.v;
    this.position--;
    this.tokens[this.position] = { ...token, v: token.v.slice(1), spaced: false };
    return token.v.slice(0, 1);
  }

  get place(): number {
    return this.position;
  }

  goBack(place: number): void {
    this.position = place;
  }

  /** Runs one level of the grammar; refuses nesting beyond `maximumDepth`. */
  nested<T>(level: () => T): T {
    if (++this.depth > maximumDepth) throw new NotMath('nested too deeply');
    try {
      return level();
    } finally {
      this.depth--;
    }
  }

  /** Spelling of the tokens from `start` to here, without spaces. */
  spelling(start: number): string {
    return this.tokens
      .slice(start, this.position)
      .map(({ v }) => v)
      .join('');
  }
}

const end: Token = { t: 'end', v: '', spaced: false, at: 0 };
