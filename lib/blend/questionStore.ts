import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CrossThinkError } from '../errors.js';
import type { Question } from '../data/question.js';
import { openBytes } from '../data/readers/open.js';
import type { BlendSource } from './recipe.js';

/** The fields of a curated row that blending needs; the rest is passed on as it is. */
const keySchema = z.object({
  id: z.string(),
  source: z.string(),
  domain: z.enum(['general', 'math']),
  form: z.enum(['multiple-choice', 'open-ended']),
});

interface Rows {
  readonly source: BlendSource;
  /** File, first byte and length of each row. */
  readonly places: { readonly file: number; readonly offset: number; readonly bytes: number }[];
}

/**
 * Curated questions on disk, addressed by (source, index): only places are kept in memory, rows are read when asked for.
 * A data set with questions of both forms becomes two sources, `name/multiple-choice` and `name/open-ended`.
 */
export class QuestionStore {
  private constructor(
    private readonly handles: readonly FileHandle[],
    private readonly rows: ReadonlyMap<string, Rows>,
  ) {}

  /** Indexes curated files, or folders that hold a `questions.jsonl`. Throws with file and line for rows that are none. */
  static async open(paths: readonly string[]): Promise<QuestionStore> {
    const files = await Promise.all(paths.map(questionsFile));
    const index = new SourceIndex();
    for (const [i, file] of files.entries()) await index.add(file, i);
    const handles = await Promise.all(files.map((file) => open(file)));
    return new QuestionStore(handles, index.sources());
  }

  /** The sources found, by name. */
  get sources(): BlendSource[] {
    return [...this.rows.values()].map(({ source }) => source);
  }

  /** The row of a source as it stands in its file. */
  async read(source: string, index: number): Promise<Question> {
    const place = this.rows.get(source)?.places[index];
    const handle = place === undefined ? undefined : this.handles[place.file];
    if (place === undefined || handle === undefined) throw new RangeError(`no question ${index} in source ${source}`);
    const buffer = Buffer.allocUnsafe(place.bytes);
    await handle.read(buffer, 0, place.bytes, place.offset);
    return JSON.parse(buffer.toString('utf8')) as Question;
  }

  async close(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle.close()));
  }
}

async function questionsFile(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  return info?.isDirectory() === true ? join(path, 'questions.jsonl') : path;
}

interface Group extends Pick<BlendSource, 'domain' | 'form'> {
  readonly dataset: string;
  readonly places: Rows['places'];
  readonly hash: ReturnType<typeof createHash>;
}

class SourceIndex {
  readonly #groups = new Map<string, Group>();

  async add(file: string, fileIndex: number): Promise<void> {
    let line = 0;
    for await (const { bytes, offset } of linesOf(file)) {
      line++;
      const text = bytes.toString('utf8').trim();
      if (text !== '') this.#row(text, { file: fileIndex, offset, bytes: bytes.length }, file, line);
    }
  }

  #row(text: string, place: Rows['places'][number], file: string, line: number): void {
    const key = keySchema.safeParse(parseJson(text, file, line));
    if (!key.success) {
      const problem = z.prettifyError(key.error).replace(/\s+/g, ' ');
      throw new CrossThinkError('ERR_SCHEMA', `not a curated question: ${problem}`, { file, line });
    }
    const { id, source, domain, form } = key.data;
    const name = `${source}/${form}`;
    const group = this.#groups.get(name) ?? { dataset: source, domain, form, places: [], hash: createHash('sha256') };
    this.#groups.set(name, group);
    if (group.domain !== domain) {
      const message = `source ${source} has questions of both domains; give them different source names`;
      throw new CrossThinkError('ERR_SCHEMA', message, { file, line, field: 'domain' });
    }
    group.places.push(place);
    group.hash.update(id);
  }

  sources(): Map<string, Rows> {
    const groups = [...this.#groups.values()];
    const rows = groups.map(({ dataset, domain, form, places, hash }): Rows => {
      const both = groups.filter((group) => group.dataset === dataset).length > 1;
      const name = both ? `${dataset}/${form}` : dataset;
      return { source: { name, domain, form, size: places.length, fingerprint: hash.digest('hex') }, places };
    });
    return new Map(rows.map((entry) => [entry.source.name, entry]));
  }
}

function parseJson(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CrossThinkError('ERR_PARSE', 'not a JSON value', { file, line, cause });
  }
}

/** Lines with their byte offsets. */
async function* linesOf(file: string): AsyncGenerator<{ bytes: Buffer; offset: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of await openBytes(file)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      yield { bytes: rest.subarray(start, end), offset: offset + start };
      start = end + 1;
    }
    offset += start;
    rest = rest.subarray(start);
  }
  if (rest.length > 0) yield { bytes: rest, offset };
}
