/** Memory for logits that is reused from step to step and only grows. */
export class LogitsBuffer {
  #data = new Float32Array(0);

  /** A view of `rows` rows of `vocab` logits; what it held before is overwritten. */
  view(rows: number, vocab: number): Float32Array {
    const need = rows * vocab;
    if (this.#data.length < need) this.#data = new Float32Array(Math.ceil(need * 1.25));
    return this.#data.subarray(0, need);
  }
}
