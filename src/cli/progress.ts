import { SingleBar } from 'cli-progress';
import type { Output } from './terminal.js';

/** Shorter operations show no bar. */
const BAR_AFTER_MS = 500;

/**
 * Shows the progress of a long operation, for humans: a bar on a terminal once the operation has taken a while; elsewhere, only the
 * lines of `say()`.
 */
export function showProgress(output: Output, total: number) {
  let bar: SingleBar | undefined;
  let done = 0;
  let failed = 0;
  const begin = () => {
    bar = new SingleBar({
      format: '{bar} {percentage}% | {value}/{total} items | {failed} failed again | {eta_formatted} left',
      stream: output.stream,
      hideCursor: true,
      clearOnComplete: false,
      linewrap: null,
      // The pipeline handles signals: it drains and then stops the bar.
      gracefulExit: false,
    });
    bar.start(total, done, { failed });
  };
  const timer = output.isTTY ? setTimeout(begin, BAR_AFTER_MS) : undefined;
  const end = () => {
    clearTimeout(timer);
    bar?.update(done, { failed });
    bar?.stop();
    bar = undefined;
  };
  return {
    update(items: number, failures: number): void {
      done = items;
      failed = failures;
      bar?.update(done, { failed });
    },
    /** Writes a line above the bar. */
    say(text: string): void {
      const wasShown = bar !== undefined;
      if (wasShown) end();
      void output.write(`${text}\n`).catch(() => {});
      if (wasShown) begin();
    },
    /** Shows the final state and ends the bar. */
    stop: end,
  };
}
