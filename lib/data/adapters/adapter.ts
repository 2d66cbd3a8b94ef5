import type { RowObject } from '../fields.js';
import { type Drop, RowProblem, drop } from '../ledger.js';
import { type Answer, type Domain, type Option, type Question, questionId } from '../question.js';

/** Where the row at hand was read. */
export interface RowContext {
  /** File as given on the command line. */
  readonly file: string;
  /** 1-based row of the file, header lines not counted. */
  readonly row: number;
  /** What stands beside the rows where the file is one JSON document. */
  readonly envelope?: RowObject;
}

/** What an adapter says of a row; the rest of the `Question` follows from the adapter and the context. */
export interface ParsedRow {
  readonly question: string;
  readonly options?: readonly Option[];
  readonly answer: Answer;
  readonly subject?: string | undefined;
  /** Overrides the adapter's, for sources of both domains. */
  readonly domain?: Domain;
  readonly passRate?: number;
}

/**
 * Says of an adapter that it reads nothing but one question and one gold, typed by `typedAnswer`, from fields of the row:
 * rows of many files can then be read natively (lib/curation/plainRows.ts). `read` stays the definition of what is read.
 */
export interface PlainFields {
  /** Names of which the first present counts. */
  readonly question: readonly string[];
  readonly answer: readonly string[];
  /** The gold stands behind its last occurrence in the answer, which is text then. */
  readonly mark?: string;
  /** Field of the subject; absent where all rows share theirs. */
  readonly subject?: string;
}

/** How one data set's rows become questions. One file per data set, in this folder. */
export interface AdapterDefinition {
  /** Name for `--adapter`; spelling is forgiving (case, `-` and `_` are alike). */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Value of `Question.source`; the name unless given. */
  readonly source?: string;
  /** What the rows look like, for `crossthink curate --list`. */
  readonly description: string;
  /** SPDX identifier or the source's own words. */
  readonly licence: string;
  readonly domain: Domain;
  /** Its authors ask that rows not appear in plain text: `curate` withholds their texts unless told otherwise. */
  readonly withheld?: boolean;
  /** Several questions in one row of the file: the rows to `read`. Absent: the row itself. */
  readonly expand?: (row: unknown) => readonly unknown[];
  /** Absent where rows have to be read one by one in TypeScript. */
  readonly plain?: PlainFields | undefined;
  /** Whether a row has this data set's schema: used by `--adapter auto` on the first rows of a file. */
  readonly recognises: (row: unknown, context: RowContext) => boolean;
  /** The row's content; throws `RowProblem` to drop the row. */
  readonly read: (row: unknown, context: RowContext) => ParsedRow;
}

/** A registered adapter. */
export interface Adapter extends Omit<AdapterDefinition, 'read' | 'source'> {
  readonly source: string;
  /** Reads copies of its data set: `lenient`. */
  readonly lenient?: true;
  /**
   * Turns one raw row into a question, or says why not. Never throws for bad rows. `identify` false leaves the id empty,
   * for callers that compute the ids of many questions together.
   */
  readonly parse: (row: unknown, context: RowContext, identify?: boolean) => Question | Drop;
}

/** Makes an adapter: adds identity and provenance, checks what every question must have, turns problems into drops. */
export function defineAdapter(definition: AdapterDefinition): Adapter {
  const { read, source = definition.name, ...rest } = definition;
  const steps = [`adapter:${definition.name}`];
  return {
    ...rest,
    recognises(row, context) {
      try {
        return definition.recognises(row, context);
      } catch (error) {
        if (isTooDeep(error)) return false;
        throw error;
      }
    },
    source,
    parse(row, context, identify = true) {
      try {
        const question = assemble(definition, source, steps, read(row, context), context);
        return identify ? { ...question, id: questionId(question) } : question;
      } catch (error) {
        if (error instanceof RowProblem) return drop(error.reason, error.message);
        if (isTooDeep(error)) return drop('too-deep', 'lists or objects in the row are nested too deeply');
        throw error;
      }
    },
  };
}

/** Whether the call stack ended, as it does where code walks through values of many thousand levels. */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError && /call stack/i.test(error.message);
}

type Building = { -readonly [Field in keyof Question]: Question[Field] };

/** The question without its id. Fields in the order of `Question`; no spreads, this runs for every row. */
function assemble(
  definition: AdapterDefinition,
  source: string,
  steps: readonly string[],
  parsed: ParsedRow,
  context: RowContext,
): Question {
  const question = parsed.question.trim();
  const { options, answer, subject, passRate } = parsed;
  if (question === '') throw new RowProblem('empty-question', 'the question has no text');
  if (answer.value.trim() === '') throw new RowProblem('empty-answer', 'the gold answer has no text');
  if (options?.some(({ text }) => text === '') === true) {
    throw new RowProblem('empty-option', 'an option has no text');
  }
  const { name: dataset, licence, domain } = definition;
  const { file, row } = context;
  const built: Partial<Building> = { id: '', source, domain: parsed.domain ?? domain };
  if (subject !== undefined) built.subject = subject;
  built.form = options === undefined ? 'open-ended' : 'multiple-choice';
  built.question = question;
  if (options !== undefined) built.options = options;
  built.answer = answer;
  if (passRate !== undefined) built.passRate = passRate;
  built.provenance = { dataset, file, row, licence, steps };
  return built as Question;
}
