import { printableLines } from './printable.js';

/** The message of an error, or the text of whatever else was thrown, without what a terminal must not receive. */
export function messageOf(error: unknown): string {
  return printableLines(error instanceof Error ? error.message : String(error));
}
