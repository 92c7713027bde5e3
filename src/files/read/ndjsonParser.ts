import { messageOf } from '../../primitives/messageOf.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';
import type { RecordParser } from './recordParser.js';

/** One JSON object per line. */
export class NdjsonParser implements RecordParser {
  columns: readonly string[] | undefined;

  parse(line: Line): FileRecord | RowProblem {
    if (line instanceof OverlongLine) return line;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      return new RowProblem(`is not valid JSON (${messageOf(error).slice(0, 120)})`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return new RowProblem('is not a JSON object');
    this.columns ??= Object.keys(value);
    return value as FileRecord;
  }
}
