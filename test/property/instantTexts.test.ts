import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InstantReader, type InstantReaderConfig } from '../../src/market/instantReader.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Microseconds since 1970, of any moment from 1900 to 2026. */
const micros = fc.bigInt({ min: BigInt(Date.UTC(1900, 0, 2)) * 1_000n, max: BigInt(Date.UTC(2026, 11, 30)) * 1_000n });

/** The parts of a moment that clocks show which are so many minutes ahead of UTC. */
function partsOf(us: bigint, aheadMinutes = 0) {
  const shown = us + BigInt(aheadMinutes) * 60_000_000n;
  const fraction = ((shown % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const iso = new Date(Number((shown - fraction) / 1_000n)).toISOString();
  const [year, month, day] = iso.slice(0, 10).split('-') as [string, string, string];
  const [hour, minute, second] = iso.slice(11, 19).split(':') as [string, string, string];
  return { year, month, day, hour, minute, second, fraction: String(fraction).padStart(6, '0') };
}

function offsetOf(minutes: number, style: number): string {
  const sign = minutes < 0 ? '-' : '+';
  const hh = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0');
  const mm = String(Math.abs(minutes) % 60).padStart(2, '0');
  if (style === 0 && mm === '00') return `${sign}${hh}`;
  return style === 1 ? `${sign}${hh}${mm}` : `${sign}${hh}:${mm}${style === 3 ? ':00' : ''}`;
}

type Parts = ReturnType<typeof partsOf>;

const DATES: readonly (readonly [string, InstantReaderConfig, (parts: Parts) => string])[] = [
  ['ISO', {}, ({ year, month, day }) => `${year}-${month}-${day}`],
  ['points', {}, ({ year, month, day }) => `${year}.${month}.${day}`],
  ['short', {}, ({ year, month, day }) => `${year}/${Number(month)}/${Number(day)}`],
  ['compact', {}, ({ year, month, day }) => `${year}${month}${day}`],
  ['American', { dateOrder: 'MDY' }, ({ year, month, day }) => `${Number(month)}/${Number(day)}/${year}`],
  ['German', { dateOrder: 'DMY' }, ({ year, month, day }) => `${day}.${month}.${year}`],
  ['Oracle', {}, ({ year, month, day }) => `${day}-${MONTHS[Number(month) - 1]!.toUpperCase()}-${year}`],
  ['prose', {}, ({ year, month, day }) => `${MONTHS[Number(month) - 1]} ${Number(day)}, ${year}`],
];

const TIMES: readonly (readonly [string, (parts: Parts) => string])[] = [
  ['hours', ({ hour, minute, second, fraction }) => `${hour}:${minute}:${second}.${fraction}`],
  ['short', ({ hour, minute, second, fraction }) => `${Number(hour)}:${minute}:${second},${fraction}000`],
  ['compact', ({ hour, minute, second, fraction }) => `${hour}${minute}${second}.${fraction}`],
  [
    'of twelve hours',
    ({ hour, minute, second, fraction }) =>
      `${Number(hour) % 12 || 12}:${minute}:${second}.${fraction} ${Number(hour) < 12 ? 'AM' : 'PM'} `,
  ],
];

const forms = DATES.flatMap(([date, config, writeDate]) =>
  TIMES.map(([time, writeTime]) => [`${date} dates and ${time} times`, config, writeDate, writeTime] as const),
);

describe('an instant, with its microseconds, reads back equal', () => {
  it.each(forms)('from %s, with and without an offset', (_, config, writeDate, writeTime) => {
    const reader = new InstantReader(config);
    const separators = fc.constantFrom(' ', 'T', '  ', '; ');
    const minutes = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(micros, separators, minutes, fc.nat(3), fc.boolean(), (us, separator, ahead, style, isUtc) => {
        const parts = partsOf(us, isUtc ? 0 : ahead);
        const zone = isUtc ? ['', 'Z', ' UTC', ' GMT'][style]! : offsetOf(ahead, style);
        const text = `${writeDate(parts)}${separator}${writeTime(parts)}${zone}`;
        expect([text, reader.read(text), reader.isDate]).toEqual([text, Number(us) / 1_000, false]);
      }),
      { seed: 20_261_128, numRuns: 150 },
    );
  });

  it('from counts in each unit', () => {
    const readers = new Map(['s', 'ms', 'us', 'ns'].map((unit) => [unit, new InstantReader({ unit } as never)]));
    fc.assert(
      fc.property(micros, fc.integer({ min: -499, max: 499 }), (us, nanos) => {
        const ms = Number(us) / 1_000;
        const sign = us < 0n ? '-' : '';
        const digits = String(us < 0n ? -us : us).padStart(7, '0');
        expect(readers.get('s')!.read(`${sign}${digits.slice(0, -6)}.${digits.slice(-6)}`)).toBe(ms);
        expect(readers.get('ms')!.read(`${sign}${digits.slice(0, -3)}.${digits.slice(-3)}`)).toBe(ms);
        expect(readers.get('ms')!.read(ms)).toBe(ms);
        expect(readers.get('us')!.read(String(us))).toBe(ms);
        expect(readers.get('ns')!.read(String(us * 1_000n + BigInt(nanos)))).toBe(ms);
      }),
      { seed: 20_261_128, numRuns: 500 },
    );
  });

  it('from the clocks of a zone, unless they show it twice', () => {
    const zones = ['America/New_York', 'Europe/London', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/Sao_Paulo'];
    const clocks = zones.map((timeZone) => {
      const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
      const of = (repeatedHour: 'badRow' | 'first' | 'second') => new InstantReader({ timeZone, repeatedHour });
      return { timeZone, clock, refusing: of('badRow'), first: of('first'), second: of('second') };
    });
    fc.assert(
      fc.property(fc.constantFrom(...clocks), micros, fc.boolean(), ({ timeZone, clock, ...readers }, us, isNamed) => {
        const ms = Number(us) / 1_000;
        const fraction = partsOf(us).fraction;
        const text = `${clock.format(Math.floor(ms / 1_000) * 1_000)}.${fraction}${isNamed ? ` ${timeZone}` : ''}`;
        expect([readers.first.read(text), readers.second.read(text)]).toContain(ms);
        const strict = readers.refusing.read(text);
        if (Number.isNaN(strict)) expect(readers.first.read(text)).not.toBe(readers.second.read(text));
        else expect([text, strict]).toEqual([text, ms]);
      }),
      { seed: 20_261_128, numRuns: 1_000 },
    );
  });
});
