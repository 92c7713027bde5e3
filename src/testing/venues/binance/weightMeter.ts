/** How a request is answered, by the weight that its address has used. */
export interface WeightVerdict {
  /** 429 says that it was too much, 418 that the address is banned because it went on after that. */
  readonly status: 200 | 429 | 418;
  /** What has been used in this minute. */
  readonly used: number;
  readonly retryAfterS: number;
}

/** Counts the weight of requests per minute of the clock, which is the vendor's way. Whoever goes on asking after a 429 is banned. */
export class WeightMeter {
  readonly #limit: number;
  readonly #banMs: number;
  #minute = 0;
  #used = 0;
  #isWarned = false;
  #bannedUntil = 0;

  constructor(limit: number, banMs: number) {
    this.#limit = limit;
    this.#banMs = banMs;
  }

  take(weight: number, now: number): WeightVerdict {
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#used = 0;
      this.#isWarned = false;
    }
    if (now < this.#bannedUntil) return this.#verdict(418, this.#bannedUntil - now);
    this.#used += weight;
    if (this.#used <= this.#limit) return this.#verdict(200, 0);
    if (this.#isWarned) {
      this.#bannedUntil = now + this.#banMs;
      return this.#verdict(418, this.#banMs);
    }
    this.#isWarned = true;
    return this.#verdict(429, (minute + 1) * 60_000 - now);
  }

  /** Forgets what was used, and the ban. */
  reset(): void {
    this.#minute = 0;
    this.#bannedUntil = 0;
  }

  #verdict(status: WeightVerdict['status'], waitMs: number): WeightVerdict {
    return { status, used: this.#used, retryAfterS: Math.ceil(waitMs / 1_000) };
  }
}
