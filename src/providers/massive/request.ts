/** How long a request that is not answered at all keeps the next one waiting. */
const SILENT_MS = 5_000;

/** How long after an error the acknowledgements of the same request may still come. */
const SETTLE_MS = 1_500;

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

  /** When the session is done with it; a request that waits for its confirmation at most `confirmAfterMs`. */
  wakeAt(now: number, confirmAfterMs: number): number {
    return now + Math.min(this.hasErrors ? SETTLE_MS : SILENT_MS, confirmAfterMs / 4);
  }
}

/** What asks for slots, or takes them back. */
export function messageTo(action: 'subscribe' | 'unsubscribe', slots: readonly string[]): string {
  return JSON.stringify({ action, params: slots.join(',') });
}
