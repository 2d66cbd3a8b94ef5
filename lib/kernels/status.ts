/** What became of a row, as stored in the `status` arrays of the row kernels. */
export const rowStatus = {
  ok: 0,
  /** A NaN among the logits. */
  nan: 1,
  /** +inf among the logits, or a value whose product with log2(e) / temperature overflows float32. */
  positiveInfinity: 2,
  /** Every logit is -inf. */
  allMasked: 3,
  /** The logit of the target token is -inf: its log-prob is -inf. */
  targetMasked: 4,
  /** The target token is not in [0, vocab), or not in its row's kept set. */
  targetOutOfRange: 5,
  /** The target is the ignore index: nothing was computed. */
  ignored: 6,
} as const;

export type RowStatus = (typeof rowStatus)[keyof typeof rowStatus];

const names = new Map<number, string>(Object.entries(rowStatus).map(([name, code]) => [code, name]));

/** Name of a status code, e.g. for an error message. */
export function rowStatusName(code: number): string {
  return names.get(code) ?? `unknown status ${code}`;
}
