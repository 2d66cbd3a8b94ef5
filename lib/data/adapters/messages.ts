import { isRowObject, type RowObject } from '../fields.js';
import { parseLiteral } from '../literal.js';
import { stripChatMarkup, stripInstructions } from '../instructions.js';

/** A list of chat messages, or the JSON or Python text of one; undefined for anything else. */
function messageList(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  const parsed = typeof value === 'string' && /^\s*\[/.test(value) ? parseLiteral(value) : undefined;
  return Array.isArray(parsed) && parsed.every(isRowObject) ? parsed : undefined;
}

/**
 * Text of the last message of the user, without chat markup and instructions. Knows `{role, content}`, `{from, value}`,
 * and content given as parts. Undefined where there is none; a plain text is its own message.
 */
export function lastUserText(value: unknown): string | undefined {
  const messages = messageList(value);
  if (messages === undefined) return typeof value === 'string' ? stripInstructions(stripChatMarkup(value)) : undefined;
  const users = messages.filter(isRowObject).filter(isUser);
  const text = textOf(users.at(-1));
  return text === undefined ? undefined : stripInstructions(stripChatMarkup(text));
}

function isUser(message: RowObject): boolean {
  const role = message['role'] ?? message['from'];
  return role === 'user' || role === 'human';
}

function textOf(message: RowObject | undefined): string | undefined {
  const content = message?.['content'] ?? message?.['value'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part: unknown) =>
    isRowObject(part) && typeof part['text'] === 'string' ? part['text'] : '',
  );
  return parts.join('');
}
