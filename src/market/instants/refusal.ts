import { describeValue } from '../../primitives/describeValue.js';
import type { DateOrder } from './dateOrder.js';
import type { EpochUnit } from './epochCount.js';

/** Why a time was refused. */
export type InstantFault =
  | 'text'
  | 'calendar'
  | 'timeOfDay'
  | 'shortTime'
  | 'offset'
  | 'zoneName'
  | 'dateOrder'
  | 'twoDigitYear'
  | 'year'
  | 'unit'
  | 'compactNumber'
  | 'skippedHour'
  | 'repeatedHour';

export interface Refused {
  readonly fault: InstantFault;
  readonly value: unknown;
  readonly unit: EpochUnit;
  readonly order: DateOrder | undefined;
  readonly minYear: number;
  readonly maxYear: number;
  /** In which unit a count would make sense. */
  readonly betterUnit: EpochUnit | undefined;
  /** In whose clocks a time was looked up. */
  readonly zone: string;
}

const UNIT_NAMES: Readonly<Record<EpochUnit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
};

/** What is wrong with a time, and what to do about it. */
export function refusalOf(refused: Refused): string {
  const [expected, remedy] = wordsOf(refused);
  return `expected ${expected}, got ${describeValue(refused.value)}${remedy === undefined ? '' : `: ${remedy}`}`;
}

function wordsOf({
  fault,
  unit,
  order,
  minYear,
  maxYear,
  betterUnit,
  zone,
}: Refused): readonly [expected: string, remedy?: string | undefined] {
  switch (fault) {
    case 'text':
      return [`a date, a time such as 2024-01-02T09:30:00Z, or a count of ${UNIT_NAMES[unit]} since 1970`];
    case 'calendar':
      return [
        'a date that the calendar has',
        order && `give another dateOrder than '${order}' if its parts stand otherwise`,
      ];
    case 'timeOfDay':
      return ['a time of day from 00:00:00 to 24:00:00', 'correct the hour, the minute or the second'];
    case 'shortTime':
      return ['a time of day in six digits, or in four without seconds', 'write zeros in front, as in 001530 or 0930'];
    case 'offset':
      return ['an offset of at most 14 hours, such as -05:00', 'correct it, or leave it out and give timeZone'];
    case 'zoneName':
      return [
        'UTC, an offset or a zone such as America/New_York after the time',
        'leave out what names several zones or none, and give timeZone',
      ];
    case 'dateOrder':
      return ['a date that begins with the year', "give dateOrder: 'MDY' or 'DMY'"];
    case 'twoDigitYear':
      return ['a year of four digits', 'write 2024 rather than 24'];
    case 'year':
      if (betterUnit) return [`a year from ${minYear} to ${maxYear}`, `give timeUnit: '${betterUnit}'`];
      return [`a year from ${minYear} to ${maxYear}`, 'give minYear or maxYear if it is meant'];
    case 'unit':
      return [`a count of ${UNIT_NAMES[unit]} since 1970`, `give timeUnit: '${betterUnit ?? 's'}'`];
    case 'compactNumber':
      return ['a date as text', `write it in quotes, or give timeUnit: '${unit}' if it is a count`];
    case 'skippedHour':
      return [`a time that the clocks of ${zone} show`, 'they skip this hour: correct it, or give another timeZone'];
    case 'repeatedHour':
      return [`a time that the clocks of ${zone} show only once`, "give repeatedHour: 'first' or 'second'"];
  }
}
