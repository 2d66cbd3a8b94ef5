import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDrop, type Drop } from '../../lib/data/ledger.js';
import { type Question, questionId } from '../../lib/data/question.js';

/** A folder for one test file, removed at its end. */
export function temporaryFolder(): { path: string; write: (name: string, content: string | Buffer) => string } {
  const path = mkdtempSync(join(tmpdir(), 'crossthink-test-'));
  afterAll(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return {
    path,
    write: (name, content) => {
      const file = join(path, name);
      writeFileSync(file, content);
      return file;
    },
  };
}

/** An open-ended question written for tests. */
export function openQuestion(changes: Partial<Question> = {}): Question {
  const base = {
    source: 'test',
    question: 'What is two plus two?',
    answer: { type: 'integer' as const, value: '4' },
    ...changes,
  };
  return {
    id: questionId(base),
    domain: 'math',
    form: 'open-ended',
    provenance: { dataset: 'test', file: 'test.jsonl', row: 1, steps: [] },
    ...base,
  };
}

/** A multiple-choice question written for tests. */
export function choiceQuestion(question: string, texts: readonly string[], gold = 'A'): Question {
  const options = texts.map((text, i) => ({ label: String.fromCharCode(65 + i), text }));
  const content = { source: 'test', question, options, answer: { type: 'option' as const, value: gold } };
  return {
    id: questionId(content),
    domain: 'general',
    form: 'multiple-choice',
    provenance: { dataset: 'test', file: 'test.jsonl', row: 1, steps: [] },
    ...content,
  };
}

/** The question, or a failed test that shows the reason. */
export function accepted(result: Question | Drop): Question {
  if (isDrop(result)) throw new Error(`dropped: ${result.reason}: ${result.detail}`);
  return result;
}

/** The reason code of a drop, or a failed test. */
export function reasonOf(result: Question | Drop): string {
  if (!isDrop(result)) throw new Error(`accepted: ${JSON.stringify(result)}`);
  return result.reason;
}
