import { SingleBar } from 'cli-progress';
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
  /** The format of the bar, with `{bar}`, `{percentage}`, `{value}`, `{total}`, `{failed}`, `{note}` and `{eta_formatted}`. */
  readonly bar: string;
  /** The line where there is no bar. */
  readonly line: (done: number, failed: number) => string;
}

/**
 * Shows the progress of a long operation, for humans: a bar on a terminal once the operation has taken a while; elsewhere a line
 * now and then. Both end with `note()`, if it has anything to say.
 */
export function showProgress(
  output: Output,
  total: number,
  note: () => string = () => '',
  words: ProgressWords = {
    bar: '{bar} {percentage}% | {value}/{total} items | {failed} failed again | {eta_formatted} left{note}',
    line: (items, failures) => `${items} of ${total} items replayed, ${failures} failed again${note()}`,
  },
) {
  let bar: SingleBar | undefined;
  let done = 0;
  let failed = 0;
  const payload = () => ({ failed, note: printable(note()) });
  const begin = () => {
    bar = new SingleBar({
      format: words.bar,
      stream: output.stream,
      hideCursor: true,
      clearOnComplete: false,
      linewrap: null,
      // The pipeline handles signals: it drains and then stops the bar.
      gracefulExit: false,
    });
    bar.start(total, done, payload());
  };
  const timer = output.isTTY ? setTimeout(begin, BAR_AFTER_MS) : undefined;
  const stopLines = output.isTTY ? undefined : tellNowAndThen(output, () => words.line(done, failed));
  const end = () => {
    clearTimeout(timer);
    bar?.update(done, payload());
    bar?.stop();
    bar = undefined;
  };
  return {
    update(items: number, failures: number): void {
      done = items;
      failed = failures;
      bar?.update(done, payload());
    },
    /** Writes a line above the bar. */
    say(text: string): void {
      const wasShown = bar !== undefined;
      if (wasShown) end();
      void output.write(`${text}\n`).catch(() => {});
      if (wasShown) begin();
    },
    /** Shows the final state and ends the bar. */
    stop(): void {
      stopLines?.();
      end();
    },
  };
}
