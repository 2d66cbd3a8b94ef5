import binding = require('#binding');

import { type Question, questionId } from '../data/question.js';
import type { BlockPlace } from '../data/readers/jsonl.js';
import { duplicateText } from '../filters/normalise.js';
import type { CuratePlan } from './plan.js';

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

/** What duplicates are recognised by; nothing where they are kept, or left to `merge`. */
export function keysOf(plan: CuratePlan): DuplicateKeys {
  return plan.duplicates === 'keep' || plan.shard !== undefined ? 'none' : plan.duplicates;
}

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
 * Memory of batches that are filled one after the other: allocating it anew for each would cost more in garbage collection
 * than filling it. A batch's lines stay as they are until the batch after the next one is finished.
 */
export class BatchMemory {
  arena = Buffer.allocUnsafeSlow(1 << 16);
  /** Where texts end in the arena. */
  ends: Uint32Array = new Uint32Array(1 << 14);
  /** Four numbers a row: native/text/question_rows.h. */
  heads: Int32Array = new Int32Array(1 << 13);
  readonly #lines = [Buffer.alloc(0), Buffer.alloc(0)];
  #turn = 0;

  /** Room for the lines of the next batch; what was sent to another thread is replaced. */
  nextLines(bytes: number): Uint8Array<ArrayBuffer> {
    this.#turn = 1 - this.#turn;
    return this.widerLines(bytes);
  }

  /** More room for the same batch. */
  widerLines(bytes: number): Uint8Array<ArrayBuffer> {
    const given = this.#lines[this.#turn];
    if (given !== undefined && given.length >= bytes) return given;
    return (this.#lines[this.#turn] = Buffer.allocUnsafeSlow(bytes));
  }

  /** Room for that many bytes behind the first `used` of the arena. */
  reserve(used: number, bytes: number): void {
    if (used + bytes <= this.arena.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.arena.length, used + bytes));
    this.arena.copy(larger, 0, 0, used);
    this.arena = larger;
  }

  widenEnds(): void {
    const { ends } = this;
    this.ends = new Uint32Array(2 * ends.length);
    this.ends.set(ends);
  }

  widenHeads(): void {
    const { heads } = this;
    this.heads = new Int32Array(2 * heads.length);
    this.heads.set(heads);
  }
}

/**
 * Collects questions and turns them, all at once and natively, into lines of JSON, ids and keys of duplication: the same
 * bytes as `JSON.stringify(question)` with the fields in the order of `Question`.
 */
export class QuestionBatch {
  #used = 0;
  #texts = 0;
  #count = 0;
  #largest = 0;
  readonly #profiles: Profile[] = [];
  readonly #profileTexts: string[] = [];
  readonly #profileIndex = new Map<string, number>();
  #lastQuestion: Question | undefined;
  #lastProfile = 0;

  constructor(
    private readonly keys: DuplicateKeys = 'none',
    private readonly memory = new BatchMemory(),
  ) {}

  get count(): number {
    return this.#count;
  }

  /**
   * Adds a question. An empty `id` is computed with the batch (`questionId`). `line`: the line to write, where it exists
   * already. `duplicate`: the question by which duplicates are recognised, where it is another. Returns its profile.
   */
  add(question: Question, given: { readonly line?: string; readonly duplicate?: Question } = {}): number {
    const before = { used: this.#used, texts: this.#texts };
    const { provenance, options } = question;
    const { line, duplicate } = given;
    if (line === undefined && provenance.file !== undefined && provenance.row !== undefined) {
      const ascii = this.#fields(question, duplicate);
      if (ascii !== undefined) {
        const flags = ascii && duplicate === undefined ? FLAG.none : FLAG.duplicateTextGiven;
        return this.#close(question, options?.length ?? 0, flags, before.used);
      }
      this.#used = before.used;
      this.#texts = before.texts;
    }
    const id = question.id === '' ? questionId(question) : question.id;
    this.#text(id);
    this.#text(line ?? JSON.stringify(question.id === '' ? { ...question, id } : question));
    this.#text('');
    this.#text('');
    this.#text('');
    this.#text(this.keys === 'none' ? '' : duplicateText(duplicate ?? question));
    return this.#close(question, 0, FLAG.lineGiven | FLAG.duplicateTextGiven, before.used);
  }

  /**
   * Adds the rows of a block that `native` reads from `place` to `lastRow`, and moves the place behind them. It stops, too,
   * where the lists are full: the next row added by `add` widens them.
   */
  readPlain(
    native: InstanceType<typeof binding.PlainRows>,
    block: Uint8Array,
    place: BlockPlace,
    lastRow: number,
  ): void {
    const { at, row, lines } = place;
    this.memory.reserve(this.#used, block.length - at);
    const { arena, ends, heads } = this.memory;
    const state = Uint32Array.of(at, row, lines, this.#used, this.#texts, this.#count, this.#largest);
    native.read(block, arena, ends, heads, state, lastRow);
    place.at = state[0] ?? 0;
    place.row = state[1] ?? 0;
    place.lines = state[2] ?? 0;
    this.#used = state[3] ?? 0;
    this.#texts = state[4] ?? 0;
    this.#count = state[5] ?? 0;
    this.#largest = state[6] ?? 0;
  }

  /** Whether all texts are ASCII; undefined where one is not well-formed Unicode, which UTF-8 cannot hold. */
  #fields(question: Question, duplicate: Question | undefined): boolean | undefined {
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
      this.memory.reserve(this.#used, 3 * length);
      const written = this.memory.arena.write(text, this.#used);
      ascii = written === length;
      this.#used += written;
    }
    if (this.#texts === this.memory.ends.length) this.memory.widenEnds();
    this.memory.ends[this.#texts++] = this.#used;
    return ascii;
  }

  #close(question: Question, options: number, flags: number, start: number): number {
    const profile = this.#profileOf(question);
    const at = 4 * this.#count++;
    if (at === this.memory.heads.length) this.memory.widenHeads();
    const { heads } = this.memory;
    heads[at] = profile;
    heads[at + 1] = question.provenance.row ?? 0;
    heads[at + 2] = options;
    heads[at + 3] = flags;
    this.#largest = Math.max(this.#largest, this.#used - start);
    return profile;
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

  /** UTF-8 bytes that a line has of its profile. */
  #sharedLength(profile: number): number {
    return Buffer.byteLength(this.#profileTexts.slice(7 * profile + 2, 7 * profile + 6).join(''));
  }

  /** The batch as bytes, made on a thread of the addon: its memory may be filled again when they are there. */
  async finish(): Promise<EncodedQuestions> {
    const count = this.#count;
    const { arena, ends } = this.memory;
    const heads = this.memory.heads.subarray(0, 4 * count);
    const lineEnds = new Uint32Array(count);
    const ids = new Uint8Array(count * ID_BYTES);
    const keys = this.keys === 'none' ? undefined : new Uint8Array(count * KEY_BYTES);
    const signatures = this.keys === 'near' ? new Uint8Array(count * SIGNATURE_BYTES) : undefined;
    const shared = this.#profiles.reduce((most, _, i) => Math.max(most, this.#sharedLength(i)), 0);
    const needed = new Float64Array(1);
    const encode = (out: Uint8Array<ArrayBuffer>): Promise<boolean> =>
      binding.encodeQuestions(
        arena,
        ends,
        this.#texts,
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
        needed,
      );
    // Few texts need many escapes: this is nearly always enough.
    const likely = this.#used * 1.25 + 32 * (this.#texts / 2) + 6 * this.#largest + (count + 1) * (160 + shared);
    let lines = this.memory.nextLines(Math.ceil(likely));
    if (!(await encode(lines))) {
      lines = this.memory.widerLines(needed[0] ?? 0);
      await encode(lines);
    }
    return {
      count,
      lines: lines.subarray(0, needed[0]),
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
