import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { errnoText } from '../failures/errno.js';
import { type CommandContext, UsageError } from './commandContext.js';
import { names, path } from './parsers.js';

/** Symbols of the command line, or the file that has them. */
export type SymbolChoice = { readonly names: readonly string[] } | { readonly file: string };

/** More than all the instruments of any vendor. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Parses symbols with commas between them, or `@file`. */
export function symbolList(text: string): SymbolChoice {
  if (!text.startsWith('@')) return { names: [...new Set(names(text))] };
  if (text === '@') throw new InvalidArgumentError('After the @ it must name a file of symbols.');
  return { file: path(text.slice(1)) };
}

/**
 * The symbols, each once. A file has them one per line, or with commas between them; what follows a # is a comment. A symbol that
 * begins with # is written with a backslash before it: `\#AAPL`.
 */
export function symbolsOf({ terminal }: CommandContext, choice: SymbolChoice): readonly string[] {
  if ('names' in choice) return choice.names;
  const file = resolve(terminal.cwd, choice.file);
  const text = read(file);
  const found = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(','))
    .map((name) => name.trim().replace(/^\\#/, '#'))
    .filter((name) => name !== '');
  if (found.length === 0) throw new UsageError(`there is no symbol in ${file}`);
  return [...new Set(found)];
}

function read(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) throw new UsageError(`${file} is too large for a list of symbols: ${size} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the symbols in ${file}: ${errnoText(error)}`, { cause: error });
  }
}
