import { SingleBar } from 'cli-progress';
import type { Output } from './terminal.js';

/** How far something long is, for a person who watches. */
export interface Progress {
  update(done: number, failed: number): void;
  /** A line of its own, above the bar. */
  say(text: string): void;
  /** The last state, and then no more. */
  stop(): void;
}

/** What is over sooner needs no bar. */
const LONG_MS = 500;

/** A bar on a terminal, once it has taken a while; elsewhere only what is said. */
export function showProgress(output: Output, total: number): Progress {
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
      // Signals are for the pipeline, which ends in good order and then stops the bar.
      gracefulExit: false,
    });
    bar.start(total, done, { failed });
  };
  const timer = output.isTTY ? setTimeout(begin, LONG_MS) : undefined;
  const end = () => {
    clearTimeout(timer);
    bar?.update(done, { failed });
    bar?.stop();
    bar = undefined;
  };
  return {
    update(items, failures) {
      done = items;
      failed = failures;
      bar?.update(done, { failed });
    },
    say(text) {
      const wasShown = bar !== undefined;
      if (wasShown) end();
      void output.write(`${text}\n`).catch(() => {});
      if (wasShown) begin();
    },
    stop: end,
  };
}
