/** A response cut at its reasoning block. */
export interface Sections {
  /** Text before `<think>`; empty where the response starts with it. */
  readonly before: string;
  /** Inside the block; null where there is none. */
  readonly thinking: string | null;
  /** After the last `</think>`; the whole response where there is none. */
  readonly final: string;
  readonly opens: number;
  readonly closes: number;
}

/** Cuts a response at the last `</think>`: what follows is the answer the user sees. */
export function splitThinking(response: string, open = '<think>', close = '</think>'): Sections {
  const opens = count(response, open);
  const closes = count(response, close);
  const first = response.indexOf(open);
  const last = response.lastIndexOf(close);
  if (last < 0) {
    return { before: first < 0 ? '' : response.slice(0, first), thinking: null, final: response, opens, closes };
  }
  const inside = first >= 0 && first < last;
  return {
    before: inside ? response.slice(0, first) : '',
    thinking: response.slice(inside ? first + open.length : 0, last),
    final: response.slice(last + close.length),
    opens,
    closes,
  };
}

function count(text: string, part: string): number {
  let n = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) n++;
  return n;
}
