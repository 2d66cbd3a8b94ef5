/**
 * Lists and mappings written as text, as tables hold them: JSON, Python (`['a', "b"]`, `{'text': ['x'], 'n': None}`,
 * tuples), and NumPy arrays (`['a' 'b']`, `array(['a'], dtype=object)`), which data frames print. Undefined for any
 * other text.
 */
export function parseLiteral(text: string): unknown {
  const trimmed = text.trim();
  if (!/^(?:[[{(]|array\()[^]*[\])}]$/.test(trimmed)) return undefined;
  try {
    const parsed: unknown = JSON.parse(trimmed);
    return parsed;
  } catch {
    return new LiteralReader(trimmed).read();
  }
}

const WORDS: Readonly<Record<string, unknown>> = { None: null, null: null, nan: null, True: true, False: false };
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' };

/** Thrown where the text is no literal. */
class NoLiteral extends Error {}

class LiteralReader {
  #at = 0;

  constructor(private readonly text: string) {}

  read(): unknown {
    try {
      const value = this.#value();
      this.#space();
      return this.#at === this.text.length ? value : undefined;
    } catch (error) {
      // A RangeError: nested so deeply that the call stack ended.
      if (error instanceof NoLiteral || error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #value(): unknown {
    this.#space();
    if (this.#take('array(')) return this.#array();
    if (this.#take('[')) return this.#items(']');
    if (this.#take('(')) return this.#items(')');
    if (this.#take('{')) return this.#mapping();
    const quote = this.text[this.#at];
    if (quote === "'" || quote === '"') return this.#string(quote);
    const word = /[^\s,:[\](){}'"]+/y;
    word.lastIndex = this.#at;
    const found = word.exec(this.text)?.[0];
    if (found === undefined) throw new NoLiteral();
    this.#at += found.length;
    if (found in WORDS) return WORDS[found];
    if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(found)) throw new NoLiteral();
    return Number(found);
  }

  /** Items up to the bracket; NumPy puts no commas between them. */
  #items(end: string): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      this.#space();
      if (this.#take(end)) return items;
      items.push(this.#value());
      this.#space();
      this.#take(',');
    }
  }

  /** Behind `array(`: the list, and `dtype=object` or the like. */
  #array(): unknown {
    const items = this.#value();
    const rest = /\s*(?:,\s*dtype=[\w.<>']+\s*)?\)/y;
    rest.lastIndex = this.#at;
    const found = rest.exec(this.text)?.[0];
    if (found === undefined) throw new NoLiteral();
    this.#at += found.length;
    return items;
  }

  #mapping(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (;;) {
      this.#space();
      if (this.#take('}')) return Object.fromEntries(entries);
      const key = this.#value();
      this.#space();
      if (!this.#take(':') || (typeof key !== 'string' && typeof key !== 'number')) throw new NoLiteral();
      entries.push([String(key), this.#value()]);
      this.#space();
      this.#take(',');
    }
  }

  #string(quote: string): string {
    let value = '';
    for (this.#at++; this.#at < this.text.length; this.#at++) {
      const char = this.text[this.#at] ?? '';
      if (char === quote) {
        this.#at++;
        return value;
      }
      value += char === '\\' ? this.#escape() : char;
    }
    throw new NoLiteral();
  }

  /** The character that an escape means; an unknown one stands for itself, backslash and all, as in Python. */
  #escape(): string {
    const next = this.text[++this.#at] ?? '';
    const code = /(?:x([\da-f]{2})|u([\da-f]{4}))/iy;
    code.lastIndex = this.#at;
    const digits = code.exec(this.text);
    if (digits !== null) {
      this.#at = code.lastIndex - 1;
      return String.fromCharCode(Number.parseInt(digits[1] ?? digits[2] ?? '', 16));
    }
    return ESCAPES[next] ?? ('\\\'"'.includes(next) ? next : `\\${next}`);
  }

  #take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #space(): void {
    while (/\s/.test(this.text[this.#at] ?? '')) this.#at++;
  }
}
