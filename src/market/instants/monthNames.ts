const NAMES = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;

const MONTHS: ReadonlyMap<string, number> = new Map([
  ...NAMES.flatMap((name, i): [string, number][] => [
    [name, i + 1],
    [name.slice(0, 3), i + 1],
  ]),
  ['sept', 9],
]);

/** 1 to 12 for an English name of a month, whole or its first three letters, in any case; `NaN` for anything else. */
export function monthNamed(name: string): number {
  return MONTHS.get(name.toLowerCase()) ?? Number.NaN;
}
