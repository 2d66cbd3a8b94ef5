import { hash } from 'node:crypto';
import type { Question } from '../../data/question.js';
import { duplicateText } from '../normalise.js';

/** Key of exact duplication: equal for questions that differ only in case, punctuation, spacing or order of options. */
export function exactKey(question: Pick<Question, 'question' | 'options' | 'form'>): string {
  const text = `${question.form}\0${duplicateText(question)}`;
  return hash('sha256', text, 'base64').slice(0, 22);
}
