import { type BadRow, type FileRecord, type ReplayItemsConfig, replayFile } from '../../src/files/replayFile.js';
import { observe } from './collect.js';

export type Config = Omit<ReplayItemsConfig<unknown>, 'toItem'>;

/** The records of a file, with their lines, and what is wrong with it. */
export async function readRecords(path: string, config: Config = {}) {
  const bad: BadRow[] = [];
  const lines: number[] = [];
  const toItem = (record: FileRecord, { line }: { readonly line: number }) => {
    lines.push(line);
    return record;
  };
  const seen = observe(replayFile(path, { onBadRow: (row) => bad.push(row), ...config, toItem }));
  await seen.ended;
  const error = seen.end?.kind === 'error' ? (seen.end.error as Error) : undefined;
  return { records: seen.items, lines, bad, end: seen.end, error, problem: error?.message };
}
