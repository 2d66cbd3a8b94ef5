import { findBoxes } from './extraction/boxed.js';
import { splitThinking } from './extraction/sections.js';
import type { Reason } from './verdict.js';

/** What the format reward asks for. */
export interface FormatOptions {
  /** `boxed`: the paper's contract; `answer-tag`: `<answer>…</answer>`; `think`: only the reasoning block. Default `boxed`. */
  readonly template?: 'boxed' | 'answer-tag' | 'think' | 'none';
  /** The prompt ended with `<think>`, so the response starts inside the block. Default false. */
  readonly thinkPrefilled?: boolean;
  /** The tags of the block. Default `<think>`, `</think>`. */
  readonly thinkTags?: readonly [string, string];
  /** Accept a block with nothing in it. Default false: a policy that learns to skip reasoning is a hack. */
  readonly allowEmptyThink?: boolean;
  /** Accept several boxes with different contents after the block. Default true: the last one is the answer. */
  readonly allowSeveralBoxes?: boolean;
}

/** Null where the response follows the template, else the code of the first thing wrong with it (paper.md, sections 2 and 5). */
export function formatFault(response: string, options: FormatOptions = {}): Reason | null {
  const template = options.template ?? 'boxed';
  if (template === 'none') return null;
  const [open, close] = options.thinkTags ?? ['<think>', '</think>'];
  const { before, thinking, final, opens, closes } = splitThinking(response, open, close);
  const expectedOpens = options.thinkPrefilled === true ? 0 : 1;
  if (opens === 0 && closes === 0) return 'format_no_think';
  if (opens > 1 || closes > 1) return 'format_several_think';
  if (thinking === null || (opens === 0 && expectedOpens === 1)) return 'format_unclosed_think';
  if (opens === 1 && response.indexOf(open) > response.indexOf(close)) return 'format_unclosed_think';
  if (before.trim() !== '') return 'format_text_before_think';
  if (thinking.trim() === '' && options.allowEmptyThink !== true) return 'format_empty_think';
  if (template === 'think') return null;
  if (template === 'answer-tag') {
    return isOneBlock(final.trim(), '<answer>', '</answer>') ? null : 'format_no_answer_tag';
  }
  const contents = new Set(findBoxes(final).map((box) => box.content.trim()));
  contents.delete('');
  if (contents.size === 0) return 'format_no_box';
  return contents.size > 1 && options.allowSeveralBoxes === false ? 'format_several_boxes' : null;
}

/** Whether the text is one block of the tag, with something in it and nothing around it. */
function isOneBlock(text: string, open: string, close: string): boolean {
  if (!text.startsWith(open) || !text.endsWith(close)) return false;
  const inside = text.slice(open.length, -close.length);
  return inside.trim() !== '' && !inside.includes(open) && !inside.includes(close);
}
