/**
 * One `subscribe` with its answers: an acknowledgement for each slot, in any number of frames, and for what is not authorised an error
 * that names no slot. All its slots are of one channel.
 */
export class SubscribeRequest {
  readonly slots: readonly string[];
  readonly #open: Set<string>;
  #errors = 0;
  #acknowledged = 0;
  /** What the last error said. */
  words = '';

  constructor(slots: readonly string[]) {
    this.slots = slots;
    this.#open = new Set(slots);
  }

  /** The slots without an acknowledgement. */
  get open(): readonly string[] {
    return [...this.#open];
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  get hasAcknowledged(): boolean {
    return this.#acknowledged > 0;
  }

  /** Every slot has its answer: what is open was refused. */
  get isAnswered(): boolean {
    return this.#errors >= this.#open.size;
  }

  /** Whether the acknowledgement was one of this request. */
  acknowledge(slot: string): boolean {
    if (!this.#open.delete(slot)) return false;
    this.#acknowledged += 1;
    return true;
  }

  refuse(words: string): void {
    this.#errors += 1;
    this.words = words;
  }

  /** No longer wanted, before it was sent: one that was sent has its answer all the same. */
  drop(slot: string): void {
    this.#open.delete(slot);
  }
}
