import { printable } from './printable.js';

/** The text as one line that is safe for a terminal, with one blank for each run of white space: it may come from anywhere. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' '));
}
