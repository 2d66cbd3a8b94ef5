import binding = require('#binding');

import { type Question, questionId } from '../data/question.js';
import { duplicateText } from '../filters/normalise.js';

/** Bands and rows of the locality-sensitive hashing, and what counts as near. */
export const MINHASH = {
  /** Hash tables. */
  bands: 14,
  /** Hashes a table: with 14 bands, half of the pairs of similarity 0.72 meet. */
  rows: 8,
  /** Bytes a shingle. */
  shingle: 8,
  /** Estimated Jaccard similarity from which questions count as duplicates. */
  threshold: 0.8,
} as const;

const SIGNATURE_BYTES = MINHASH.bands * MINHASH.rows;
export const ID_BYTES = 32;
export const KEY_BYTES = 16;

/** What duplicates are recognised by, where they are dropped. */
export type DuplicateKeys = 'none' | 'exact' | 'near';

/** What many rows share: a combination of the fields that hardly vary. */
export interface Profile {
  readonly source: string;
  readonly domain: string;
  readonly form: string;
  readonly answerType: string;
  readonly file: string;
}

/** Questions as bytes, ready to be written; rows keep their order. */
export interface EncodedQuestions {
  readonly count: number;
  /** Lines of JSON with their newlines; line i ends at `lineEnds[i]`. */
  readonly lines: Uint8Array<ArrayBuffer>;
  readonly lineEnds: Uint32Array;
  /** `ID_BYTES` hexadecimal digits a row. */
  readonly ids: Uint8Array<ArrayBuffer>;
  /** Index into `profiles` and row of the file, by row. */
  readonly profileOf: Int32Array;
  readonly rows: Int32Array;
  readonly profiles: readonly Profile[];
  /** 16 bytes a row: equal where only case, punctuation, spacing or order of options differ. */
  readonly keys?: Uint8Array;
  /** MinHash signatures, `MINHASH.bands * MINHASH.rows` bytes a row. */
  readonly signatures?: Uint8Array;
}

const FLAG = { none: 0, lineGiven: 1, duplicateTextGiven: 2 } as const;

/**
 * Collects questions and turns them, all at once and natively, into lines of JSON, ids and keys of duplication: the same
 * bytes as `JSON.stringify(question)` with the fields in the order of `Question`.
 */
export class QuestionBatch {
  #arena = Buffer.allocUnsafeSlow(1 << 16);
  #used = 0;
  #ends: number[] = [];
  #heads: number[] = [];
  #count = 0;
  #largest = 0;
  readonly #profiles: Profile[] = [];
  readonly #profileTexts: string[] = [];
  readonly #profileIndex = new Map<string, number>();
  #lastQuestion: Question | undefined;
  #lastProfile = 0;

  constructor(private readonly keys: DuplicateKeys = 'none') {}

  get count(): number {
    return this.#count;
  }

  /**
   * Adds a question. An empty `id` is computed with the batch (`questionId`). `line`: the line to write, where it exists
   * already. `duplicate`: the question by which duplicates are recognised, where it is another.
   */
  add(question: Question, given: { readonly line?: string; readonly duplicate?: Question } = {}): void {
    const before = { used: this.#used, texts: this.#ends.length };
    const { provenance, options } = question;
    const { line, duplicate } = given;
    if (line === undefined && provenance.file !== undefined && provenance.row !== undefined) {
      const ascii = this.#texts(question, duplicate);
      if (ascii !== undefined) {
        const flags = ascii && duplicate === undefined ? FLAG.none : FLAG.duplicateTextGiven;
        this.#close(question, options?.length ?? 0, flags, before.used);
        return;
      }
      this.#used = before.used;
      this.#ends.length = before.texts;
    }
    const id = question.id === '' ? questionId(question) : question.id;
    this.#text(id);
    this.#text(line ?? JSON.stringify(question.id === '' ? { ...question, id } : question));
    this.#text('');
    this.#text('');
    this.#text('');
    this.#text(this.keys === 'none' ? '' : duplicateText(duplicate ?? question));
    this.#close(question, 0, FLAG.lineGiven | FLAG.duplicateTextGiven, before.used);
  }

  /** Whether all texts are ASCII; undefined where one is not well-formed Unicode, which UTF-8 cannot hold. */
  #texts(question: Question, duplicate: Question | undefined): boolean | undefined {
    const { answer, options, passRate } = question;
    this.#text(question.id);
    let ascii = this.#text(question.question);
    ascii = this.#text(answer.value) && ascii;
    if (options !== undefined) for (const { text } of options) ascii = ascii && isAscii(text);
    this.#text(answerTail(question));
    this.#text(passRate === undefined ? '' : String(passRate));
    const made = this.keys === 'none' || (ascii && duplicate === undefined);
    this.#text(made ? '' : duplicateText(duplicate ?? question));
    if (options !== undefined) {
      for (const { label, text } of options) {
        this.#text(label);
        this.#text(text);
      }
    }
    return ascii || isWellFormed(question) ? ascii : undefined;
  }

  /** Whether the text is ASCII. */
  #text(text: string): boolean {
    const { length } = text;
    let ascii = true;
    if (length > 0) {
      if (this.#used + 3 * length > this.#arena.length) this.#grow(3 * length);
      const written = this.#arena.write(text, this.#used);
      ascii = written === length;
      this.#used += written;
    }
    this.#ends.push(this.#used);
    return ascii;
  }

  #grow(room: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#arena.length, this.#used + room));
    this.#arena.copy(larger, 0, 0, this.#used);
    this.#arena = larger;
  }

  #close(question: Question, options: number, flags: number, start: number): void {
    this.#heads.push(this.#profileOf(question), question.provenance.row ?? 0, options, flags);
    this.#largest = Math.max(this.#largest, this.#used - start);
    this.#count++;
  }

  #profileOf(question: Question): number {
    if (this.#lastQuestion !== undefined && sameProfile(this.#lastQuestion, question)) return this.#lastProfile;
    const texts = profileTexts(question);
    const key = texts.join('\0');
    let index = this.#profileIndex.get(key);
    if (index === undefined) {
      const { source, domain, form, answer, provenance } = question;
      index = this.#profiles.push({ source, domain, form, answerType: answer.type, file: provenance.file ?? '' }) - 1;
      this.#profileTexts.push(...texts);
      this.#profileIndex.set(key, index);
    }
    this.#lastQuestion = question;
    this.#lastProfile = index;
    return index;
  }

  /** The batch as bytes. */
  finish(): EncodedQuestions {
    const count = this.#count;
    const heads = new Int32Array(this.#heads);
    const ends = new Uint32Array(this.#ends);
    const lineEnds = new Uint32Array(count);
    const ids = new Uint8Array(count * ID_BYTES);
    const keys = this.keys === 'none' ? undefined : new Uint8Array(count * KEY_BYTES);
    const signatures = this.keys === 'near' ? new Uint8Array(count * SIGNATURE_BYTES) : undefined;
    const shared = this.#profileTexts.reduce((most, { length }) => Math.max(most, length), 0);
    const encode = (out: Uint8Array<ArrayBuffer>): number =>
      binding.encodeQuestions(
        this.#arena,
        ends,
        ends.length,
        heads,
        count,
        this.#profileTexts,
        out,
        lineEnds,
        ids,
        keys,
        signatures,
        SIGNATURE_BYTES,
        MINHASH.shingle,
      );
    // Few texts need many escapes: this is nearly always enough.
    let lines = new Uint8Array(Math.ceil(this.#used * 1.25) + 6 * this.#largest + (count + 1) * (160 + 4 * shared));
    let needed = encode(lines);
    if (needed > lines.length) {
      lines = new Uint8Array(needed);
      needed = encode(lines);
    }
    return {
      count,
      lines: lines.subarray(0, count === 0 ? 0 : needed),
      lineEnds,
      ids,
      profileOf: column(heads, 0),
      rows: column(heads, 1),
      profiles: this.#profiles,
      ...(keys === undefined ? {} : { keys }),
      ...(signatures === undefined ? {} : { signatures }),
    };
  }
}

/** One of the four numbers of each head. */
function column(heads: Int32Array, at: number): Int32Array {
  const values = new Int32Array(heads.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = heads[4 * i + at] ?? 0;
  return values;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function isWellFormed({ question, options, answer }: Question): boolean {
  if (!question.isWellFormed() || !answer.value.isWellFormed()) return false;
  return options?.every(({ label, text }) => label.isWellFormed() && text.isWellFormed()) !== false;
}

function answerTail({ answer: { alternatives, unit, tolerance } }: Question): string {
  let tail = '';
  if (alternatives !== undefined) tail += `,"alternatives":${JSON.stringify(alternatives)}`;
  if (unit !== undefined) tail += `,"unit":${JSON.stringify(unit)}`;
  if (tolerance !== undefined) tail += `,"tolerance":${JSON.stringify(tolerance)}`;
  return tail;
}

function sameProfile(a: Question, b: Question): boolean {
  const [x, y] = [a.provenance, b.provenance];
  return (
    a.source === b.source &&
    a.domain === b.domain &&
    a.subject === b.subject &&
    a.form === b.form &&
    a.answer.type === b.answer.type &&
    x.dataset === y.dataset &&
    x.revision === y.revision &&
    x.file === y.file &&
    x.licence === y.licence &&
    sameSteps(x.steps, y.steps)
  );
}

function sameSteps(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The parts of a line that rows of one profile share, in the order of native/text/question_rows.h. */
function profileTexts({ source, domain, subject, form, answer, provenance }: Question): string[] {
  const text = (value: string): string => JSON.stringify(value);
  const optional = (name: string, value: string | undefined): string =>
    value === undefined ? '' : `,"${name}":${text(value)}`;
  const { dataset, revision, file, licence, steps } = provenance;
  return [
    `[${text(source)},`,
    `,${text(answer.type)},`,
    `"source":${text(source)},"domain":${text(domain)}${optional('subject', subject)},"form":${text(form)},"question":`,
    `,"answer":{"type":${text(answer.type)},"value":`,
    `,"provenance":{"dataset":${text(dataset)}${optional('revision', revision)}${optional('file', file)},"row":`,
    `${optional('licence', licence)},"steps":${JSON.stringify(steps)}}}`,
    form,
  ];
}
