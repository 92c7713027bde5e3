import { writeSync } from 'node:fs';

/** What a shell reports for a program that a signal ended: 128 and the number of the signal. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Ends the process at the first signal, with a sentence: for the times before and after the run, which answers signals itself.
 * Returns how to leave them to others.
 */
export function endAtSignal(sentence: string): () => void {
  const end = (name: keyof typeof CODES) => {
    try {
      // A terminal shows ^C on the line of what was written last.
      writeSync(2, `${process.stderr.isTTY ? '\n' : ''}${name}: ${sentence}\n`);
    } finally {
      process.exit(CODES[name]);
    }
  };
  const names = Object.keys(CODES) as (keyof typeof CODES)[];
  for (const name of names) process.on(name, end);
  return () => {
    for (const name of names) process.off(name, end);
  };
}
