/**
 * Why a row did not become a question. Codes are stable: reports, recipes and tests count them.
 *
 * Reading: `invalid-json`, `invalid-utf8`, `malformed-csv`, `line-too-long`, `truncated-file`, `unreadable`.
 * Adapters: `unrecognised`, `missing-field`, `wrong-type`, `empty-question`, `empty-answer`, `too-few-options`,
 * `gold-not-an-option`, `label-text-disagree`, `multi-answer`, `ambiguous-gold`, `missing-figure`, `too-deep`.
 * Templates and filters name their own beside their code.
 */
export interface Drop {
  readonly reason: string;
  /** One sentence for people: what was expected and what came. */
  readonly detail: string;
}

/** One dropped row: where it was and why it went. */
export interface LedgerEntry extends Drop {
  /** Id of the question, where the row had already become one. */
  readonly id?: string;
  readonly source: string;
  readonly file?: string;
  /** 1-based row of `file`. */
  readonly row?: number;
  /** 1-based line of `file` where the row starts, for text files. */
  readonly line?: number;
}

/** Makes a `Drop`. */
export function drop(reason: string, detail: string): Drop {
  return { reason, detail };
}

/** Tells a `Drop` from anything that is not one. */
export function isDrop(value: object): value is Drop {
  return 'reason' in value && 'detail' in value;
}

/** Thrown inside an adapter to drop the row at hand; `defineAdapter` turns it into a `Drop`. */
export class RowProblem extends Error {
  constructor(
    readonly reason: string,
    detail: string,
  ) {
    super(detail);
    this.name = 'RowProblem';
  }
}
