/** How far back a speed is measured. */
const WINDOW_MS = 10_000;

interface Sample {
  readonly at: number;
  readonly value: number;
}

/** The speed of a number that grows, over the last seconds. */
export class Meter {
  #samples: Sample[] = [];

  note(at: number, value: number): void {
    this.#samples.push({ at, value });
    // The oldest is the first that is older than the window, so that a long silence counts.
    while (this.#samples.length > 2 && this.#samples[1]!.at <= at - WINDOW_MS) this.#samples.shift();
  }

  /** Per second; 0 while nothing is known. */
  get perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return 0;
    return Math.max(0, ((last.value - first.value) / (last.at - first.at)) * 1_000);
  }
}
