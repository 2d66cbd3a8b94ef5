/** Thrown where a verdict would take more steps than allowed. */
export class BudgetExceeded extends Error {
  override readonly name = 'BudgetExceeded';
}

/**
 * Counts the work of one verdict in steps (tokens read, nodes evaluated, limbs multiplied), not in time: the same input
 * stops at the same step on every machine and under any load.
 */
export class Budget {
  private left: number;

  constructor(readonly limit: number) {
    this.left = limit;
  }

  /** Takes `steps` off. Throws BudgetExceeded where none are left. */
  spend(steps = 1): void {
    this.left -= steps;
    if (this.left < 0) throw new BudgetExceeded(`more than ${this.limit} steps`);
  }

  get used(): number {
    return this.limit - this.left;
  }
}
