import { LiveLine } from '../pipelines/progress/liveLine.js';
import { Meter } from '../pipelines/progress/meter.js';
import { barLine, spanText } from '../pipelines/progress/progressText.js';
import { count } from '../primitives/count.js';
import { printable } from '../primitives/printable.js';
import type { Output } from './terminal.js';

/** Shorter operations show no bar. */
const BAR_AFTER_MS = 500;

/** When the first line follows where there is no bar, and how far apart later ones come to be. */
const LINE_AFTER_MS = 2_000;
const MAX_LINE_AFTER_MS = 30_000;

/** Writes a line about a long operation after two seconds, then less and less often. Returns how to stop. */
export function tellNowAndThen(output: Output, text: () => string): () => void {
  let delayMs = LINE_AFTER_MS;
  let timer: NodeJS.Timeout;
  const wait = () => {
    timer = setTimeout(() => {
      void output.write(`${text()}\n`).catch(() => {});
      delayMs = Math.min(MAX_LINE_AFTER_MS, delayMs * 2);
      wait();
    }, delayMs);
  };
  wait();
  return () => clearTimeout(timer);
}

/** How progress is worded. */
export interface ProgressWords {
  /** What stands behind the bar and its percentage, the more important parts first; the time left comes after the first. */
  readonly parts: (done: number, failed: number) => readonly string[];
  /** The line where there is no bar. */
  readonly line: (done: number, failed: number) => string;
}

/**
 * Shows the progress of a long operation, for humans, as `run()` shows its own: a bar on a terminal once the operation has taken a
 * while; elsewhere a line now and then. Both end with `note()`, if it has anything to say.
 */
export function showProgress(
  output: Output,
  total: number,
  note: () => string = () => '',
  words: ProgressWords = {
    parts: (items, failures) => [`${count(items)} of ${count(total)} items`, `${count(failures)} failed again`, note()],
    line: (items, failures) =>
      `${count(items)} of ${count(total)} items replayed, ${count(failures)} failed again${note()}`,
  },
) {
  let done = 0;
  let failed = 0;
  const shares = new Meter();
  const shown = {
    get isTTY() {
      return output.isTTY;
    },
    get columns() {
      return output.columns;
    },
    write: (text: string) => void output.write(text).catch(() => {}),
  };
  const line = new LiveLine(
    shown,
    {
      line(width) {
        const share = total === 0 ? 1 : done / total;
        shares.note(performance.now(), share);
        const speed = shares.perSecond;
        const left = share < 1 && speed > 0 ? `${spanText(((1 - share) / speed) * 1_000)} left` : '';
        const [first = '', ...rest] = words.parts(done, failed);
        return barLine(share, [first, left, ...rest.map((part) => printable(part))], width);
      },
      plain: () => words.line(done, failed),
    },
    { afterMs: BAR_AFTER_MS },
  );
  return {
    update(items: number, failures: number): void {
      done = items;
      failed = failures;
      line.refresh();
    },
    /** Writes a line above the bar. */
    say: (text: string) => line.say(text),
    /** Shows the final state and ends the bar. */
    stop: () => line.stop(),
  };
}
