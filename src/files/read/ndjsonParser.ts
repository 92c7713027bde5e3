import { messageOf } from '../../primitives/messageOf.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';
import { bareLine, type RecordParser } from './recordParser.js';

/** One JSON object per line. */
export class NdjsonParser implements RecordParser {
  readonly columns = undefined;
  readonly taken = 1;

  parse(lines: readonly Line[], at: number): FileRecord | RowProblem | undefined {
    const line = lines[at]!;
    if (line instanceof OverlongLine) return line;
    let value: unknown;
    try {
      value = JSON.parse(bareLine(line));
    } catch (error) {
      return new RowProblem(`is not valid JSON (${messageOf(error).slice(0, 120)})`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return new RowProblem('is not a JSON object');
    return value as FileRecord;
  }
}
