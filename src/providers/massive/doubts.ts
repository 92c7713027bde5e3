/**
 * The slots of requests that were given up because no answer came. While there are any, an error names nothing and may be the late
 * answer to one of them: it refuses neither them nor what is asked now, and all of it is asked again, each slot alone.
 */
export class Doubts {
  readonly #unanswered = new Set<string>();
  /** What was asked alone, which is done once. */
  readonly #alone = new Set<string>();
  #isRaised = false;

  /** Whether an error may be of a request before. */
  get isRaised(): boolean {
    return this.#isRaised;
  }

  /** The one slot that a late error can be about, where there is only one and it was asked alone. */
  get suspect(): string | undefined {
    const [slot, another] = this.#unanswered;
    return slot !== undefined && another === undefined && this.#alone.has(slot) ? slot : undefined;
  }

  gaveUp(slots: readonly string[]): void {
    for (const slot of slots) this.#unanswered.add(slot);
    this.#isRaised = true;
  }

  acknowledged(slot: string): void {
    if (this.#unanswered.delete(slot) && this.#unanswered.size === 0) this.#isRaised = false;
    this.#alone.delete(slot);
  }

  /** It is no longer wanted; its answer may come all the same. */
  drop(slot: string): void {
    this.#unanswered.delete(slot);
    this.#alone.delete(slot);
  }

  wasAskedAlone(slot: string): boolean {
    return this.#alone.has(slot);
  }

  /** Which slots are to be asked alone now; what was asked so before is not among them. Nothing is in doubt until the next silence. */
  settle(open: readonly string[]): readonly string[] {
    const slots = [...new Set([...this.#unanswered, ...open])].filter((slot) => !this.#alone.has(slot));
    this.#unanswered.clear();
    this.#isRaised = false;
    for (const slot of slots) this.#alone.add(slot);
    return slots;
  }
}
