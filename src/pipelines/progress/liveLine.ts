/** Where progress is shown: standard error, or a stand-in for it. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  /** The width of the terminal. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** What is shown. */
export interface LiveText {
  /** The line on a terminal, as wide as that or less; empty for none yet. */
  line(width: number): string;
  /** The same where there is no terminal. */
  plain(): string;
}

export interface LiveLineConfig {
  /** No line before so much time has passed, in milliseconds. Default 200. */
  readonly afterMs?: number;
  /** The clock, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** The shortest time between two frames. */
const FRAME_MS = 200;

/** Where there is no terminal: when the first line follows, and how far apart later ones come to be. */
const PLAIN_MS = 2_000;
const MAX_PLAIN_MS = 30_000;

const DEFAULT_WIDTH = 80;
const CLEAR = '\r\u001b[K';

/**
 * One line that is redrawn in place while something runs; where there is no terminal, a plain line now and then. It shows no colour
 * and never hides the cursor, so nothing has to be restored however the process ends.
 *
 * A timer draws it, and so does {@link refresh} where the last frame is old: work that blocks the event loop, as an embedded database
 * does, keeps timers from firing.
 */
export class LiveLine {
  readonly #output: ProgressOutput;
  readonly #text: LiveText;
  readonly #isLive: boolean;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #nextAt: number;
  #plainMs = PLAIN_MS;
  #wasShown = false;
  /** Whether the line stands there now. */
  #isShown = false;
  #isOver = false;

  constructor(output: ProgressOutput, text: LiveText, config: LiveLineConfig = {}) {
    const { afterMs = FRAME_MS, now = () => performance.now() } = config;
    this.#output = output;
    this.#text = text;
    this.#now = now;
    this.#isLive = output.isTTY === true && process.env.TERM !== 'dumb';
    this.#nextAt = now() + (this.#isLive ? afterMs : PLAIN_MS);
    // A program that is over ends, whatever could still be shown.
    this.#timer = setInterval(() => this.refresh(), FRAME_MS).unref();
  }

  /** Draws, unless the last frame is a recent one. Call it as often as you like. */
  refresh(): void {
    const now = this.#now();
    if (this.#isOver || now < this.#nextAt) return;
    if (this.#isLive) {
      this.#nextAt = now + FRAME_MS;
      this.#draw();
      return;
    }
    this.#plainMs = Math.min(MAX_PLAIN_MS, this.#plainMs * 2);
    this.#nextAt = now + this.#plainMs;
    const line = this.#text.plain();
    if (line !== '') this.#write(`${line}\n`);
  }

  /** Writes a line above. */
  say(text: string): void {
    const wasShown = this.#isShown;
    this.#write(`${wasShown ? CLEAR : ''}${text}\n`);
    this.#isShown = false;
    if (wasShown) this.#draw();
  }

  /** Shows the last state, if any was shown, and ends. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    if (!this.#wasShown) return;
    this.#draw();
    this.#write('\n');
    this.#isShown = false;
  }

  #draw(): void {
    const width = this.#output.columns || DEFAULT_WIDTH;
    // A line that fills the last column wraps, and what has wrapped cannot be cleared.
    const line = [...this.#text.line(width - 1)].slice(0, width - 1).join('');
    if (line === '') return;
    this.#write(`${CLEAR}${line}`);
    this.#wasShown = true;
    this.#isShown = true;
  }

  #write(text: string): void {
    try {
      this.#output.write(text);
    } catch {
      // Whoever watched has gone.
    }
  }
}
