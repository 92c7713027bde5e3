import { describe, expect, it } from 'vitest';
import { InstantReader, type InstantReaderConfig } from './instantReader.js';

const AT = Date.UTC(2024, 0, 2, 9, 30);
const DAY = Date.UTC(2024, 0, 2);
/** A clock of 2026: the next year is 2027. */
const now = () => Date.UTC(2026, 10, 28);

const readerOf = (config: InstantReaderConfig = {}) => new InstantReader({ now, ...config });

/** What a new reader makes of a time: the instant, or what is wrong with it. */
function read(time: string | number, config: InstantReaderConfig = {}): number | string {
  const reader = readerOf(config);
  const ms = reader.read(time);
  return Number.isNaN(ms) ? reader.problem : ms;
}

describe('InstantReader', () => {
  describe('reads dates with the year first or with the name of the month, as the start of their day:', () => {
    it.each([
      '2024-01-02',
      '2024-1-2',
      '2024.01.02',
      '2024.1.2',
      '2024/01/02',
      '2024/1/02',
      '20240102',
      '02-Jan-2024',
      '2-JAN-2024',
      '02 Jan 2024',
      '02Jan2024',
      '2 January 2024',
      '2 january, 2024',
      'Jan 02, 2024',
      'Jan 2 2024',
      'January 2, 2024',
      'jan-02-2024',
      '2024-Jan-02',
      '2024 Jan 2',
      '\u00a0 2024-01-02\t',
      '2024-01-02 UTC',
    ])('%j', (text) => {
      const reader = readerOf();
      expect(reader.read(text)).toBe(DAY);
      expect(reader.isDate).toBe(true);
    });
  });

  it('reads every name of a month', () => {
    const names = ['January', 'February', 'March', 'April', 'May', 'June', 'July'];
    names.push('August', 'September', 'October', 'November', 'December');
    const reader = readerOf();
    names.forEach((name, month) => {
      for (const text of [`7 ${name} 2021`, `${name.slice(0, 3).toUpperCase()} 7, 2021`]) {
        expect([text, reader.read(text)]).toEqual([text, Date.UTC(2021, month, 7)]);
      }
    });
    expect(reader.read('7 Sept 2021')).toBe(Date.UTC(2021, 8, 7));
  });

  describe('reads a date and a time of day:', () => {
    it.each([
      '2024-01-02T09:30:00Z',
      '2024-01-02t09:30:00z',
      '2024-01-02 09:30:00 Z',
      '2024-01-02T09:30Z',
      '2024-01-02 9:30',
      '2024-01-02  09:30:00',
      '2024-01-02 09:30:00.000000',
      '2024-01-02 09:30:00+00',
      '2024-01-02 15:00:00+05:30',
      '2024-01-02T15:00:00 +0530',
      '2024-01-02T15:00:00+05:30:00',
      '2024-01-02T04:33:58-04:56:02',
      '2024-01-02 23:30+14',
      '2024-01-02 09:30:00 UTC',
      '2024-01-02 09:30:00 gmt',
      '2024-01-02 9:30 AM',
      '2024-01-02 9:30:00am',
      '2024-01-02 09:30:00\u202fAM',
      '2024-01-02 9:30 AM UTC',
      '2024.01.02 09:30',
      '2024/01/02 09:30:00',
      '20240102 09:30:00',
      '20240102-09:30:00',
      '20240102;093000',
      '20240102 093000',
      '20240102 93000',
      '20240102 0930',
      '20240102T093000Z',
      '20240102T150000+0530',
      '2024-01-02 093000.000',
      '202401020930',
      '20240102093000',
      '20240102093000000',
      '20240102093000.000',
      '20240102093000Z',
      'Jan 2, 2024, 9:30 AM',
      '02-Jan-2024 09:30:00',
      '02JAN2024:09:30:00',
      '20240102 04:30:00 US/Eastern',
      '20240102 04:30:00 America/New_York',
      '2024-01-02 15:00 Asia/Kolkata',
      '1704187800000',
      '+1704187800000',
      '1704187800000.0',
      '1.7041878e12',
    ])('%j', (text) => {
      const reader = readerOf();
      expect(reader.read(text)).toBe(AT);
      expect(reader.isDate).toBe(false);
    });
  });

  it.each([
    ['2024-01-02T09:30:00.1Z', AT + 100],
    ['2024-01-02T09:30:00,000125Z', AT + 0.125],
    ['2024-01-02T09:30:00.000125499Z', AT + 0.125],
    ['2024-01-02T09:30:00.0001255Z', AT + 0.126],
    ['2024-01-02T09:30:00.999999999Z', AT + 1_000],
    ['20240102093000007', AT + 7],
    ['20240102 093000.25', AT + 250],
    ['2024-01-02 12:00 AM', DAY],
    ['2024-01-02 12:00:01 PM', DAY + 43_201_000],
    ['2024-01-02 11:59 pm', DAY + 86_340_000],
    ['2024-01-02 24:00', DAY + 86_400_000],
    ['20240102 240000', DAY + 86_400_000],
    ['2000-01-03 09:30:00.000125+05:30', Date.UTC(2000, 0, 3, 4) + 0.125],
    ['1900-01-01', Date.UTC(1900, 0, 1)],
    ['2027-12-31T23:59:59.999999-12:00', Date.UTC(2028, 0, 1, 12) - 0.001],
  ])('reads %j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  describe('refuses what is no time, or could be several:', () => {
    it.each([
      ['', 'expected a date, a time such as 2024-01-02T09:30:00Z, or a count of milliseconds since 1970, got ""'],
      ['infinity', /^expected a date, .*, got "infinity"$/],
      ['-infinity', /got "-infinity"$/],
      ['2024-01-02 BC', /^expected a date, a time/],
      ['0044-03-15 BC', /^expected a year from 1900 to 2027, got "0044-03-15 BC"/],
      ['2024-01-02 09:30:00 BC', /^expected a date, a time/],
      ['yesterday', /^expected a date, a time/],
      ['2024-01', /^expected a year from 1900|^expected a date/],
      ['2024-01/02', /^expected a date, a time/],
      ['2024-01-02Z', /^expected a date, a time/],
      ['2024-01-02T09', /^expected a date, a time/],
      ['2024-01-02T9:3', /^expected a date, a time/],
      ['2024-01-02T09:30:00.', /^expected a date, a time/],
      ['2024-01-02T09:30:00.1234567890', /^expected a date, a time/],
      ['2024-01-02 09:30:00 09:30:00', /^expected UTC|^expected a date/],
      ['0x10', /^expected a date, a time/],
      ['1e', /^expected a date, a time/],
      ['1.', /^expected a date, a time/],
      ['--5', /^expected a date, a time/],
      ['2024-02-30', 'expected a date that the calendar has, got "2024-02-30"'],
      ['20241301', /^expected a date that the calendar has/],
      ['2024-01-02T24:00:01', /^expected a time of day from 00:00:00 to 24:00:00, got "2024-01-02T24:00:01": correct/],
      ['2024-01-02T24:00:00.5', /^expected a time of day/],
      ['2024-01-02T14:60', /^expected a time of day/],
      ['2024-01-02T14:30:60', /^expected a time of day/],
      ['2024-01-02 13:30 PM', /^expected a time of day/],
      ['2024-01-02 0:30 AM', /^expected a time of day/],
      ['20240102 930', /^expected a time of day in six digits.*write zeros in front/],
      ['2024-01-02T09:30+14:01', /^expected an offset of at most 14 hours.*give timeZone$/],
      ['2024-01-02T09:30-15:00', /^expected an offset/],
      ['2024-01-02T09:30+05:60', /^expected an offset/],
      ['2024-01-02T09:30+5', /^expected an offset/],
      ['20240102 09:30:00 EST', /^expected UTC, an offset or a zone such as America\/New_York.*give timeZone$/],
      ['20240102 09:30:00 CST', /give timeZone$/],
      ['20240102 09:30:00 Mars/Phobos', /give timeZone$/],
      ['01/02/2024', `expected a date that begins with the year, got "01/02/2024": give dateOrder: 'MDY' or 'DMY'`],
      ['31.12.2020', /give dateOrder: 'MDY' or 'DMY'$/],
      ['01-02-2024 09:30', /give dateOrder: 'MDY' or 'DMY'$/],
      ['01/02/24', /^expected a year of four digits, got "01\/02\/24": write 2024 rather than 24$/],
      ['02-Jan-24', /^expected a year of four digits/],
      ['24-01-02', /^expected a year of four digits/],
      ['1899-12-31', /^expected a year from 1900 to 2027, got "1899-12-31": give minYear or maxYear if it is meant$/],
      ['2028-01-01', /^expected a year from 1900 to 2027/],
      ['20280101', /^expected a year from 1900 to 2027/],
      ['-2208988800001', /^expected a year from 1900/],
      ['1e400', /^expected a date, a time/],
    ])('%j', (text, problem) => {
      expect(read(text)).toEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem));
    });

    it('numbers that are none', () => {
      expect(read(Number.NaN)).toMatch(/^expected a date, .*got NaN$/);
      expect(read(Number.POSITIVE_INFINITY, { unit: 's' })).toMatch(/a count of seconds since 1970, got Infinity$/);
    });
  });

  it('quotes at most 80 characters, and reads a megabyte of whatever it is without delay', () => {
    const pieces = [
      '9',
      ' ',
      '2024-01-02 ',
      '1.',
      'a',
      '-',
      '2024-01-02T09:30:00.0',
      ':',
      '01/02/',
      'Jan ',
      '1e9',
      '/',
    ];
    for (const piece of pieces) {
      for (const end of ['', 'x', ' ']) {
        const reader = readerOf({ dateOrder: 'MDY' });
        expect(reader.read(piece.repeat(1_000_000 / piece.length) + end)).toBeNaN();
        expect(reader.problem.length).toBeLessThan(300);
      }
    }
  });

  it.each([
    ['01/02/2024', 'MDY', Date.UTC(2024, 0, 2)],
    ['1/2/2024 9:30', 'MDY', AT],
    ['01-02-2024', 'MDY', DAY],
    ['01.02.2024', 'MDY', DAY],
    ['02/01/2024', 'DMY', DAY],
    ['02.01.2024 09:30:00', 'DMY', AT],
    ['2-1-2024', 'DMY', DAY],
    ['1/2/2024, 9:30:00 AM', 'MDY', AT],
    ['2024-01-02', 'DMY', DAY],
    ['20240102', 'MDY', DAY],
    ['02 Jan 2024', 'MDY', DAY],
    ['31/12/2020', 'MDY', `got "31/12/2020": give another dateOrder than 'MDY' if its parts stand otherwise`],
    ['12/31/2020', 'DMY', 'expected a date that the calendar has'],
    ['01/02/2024', 'YMD', "give dateOrder: 'MDY' or 'DMY'"],
    ['1/2/24', 'MDY', 'expected a year of four digits'],
    ['01/02-2024', 'MDY', 'expected a date, a time'],
  ] as const)('reads %j in the order %s', (text, dateOrder, expected) => {
    expect(read(text, { dateOrder })).toEqual(
      typeof expected === 'number' ? expected : expect.stringContaining(expected),
    );
  });

  it('takes digits for a count where the unit is given, however many they are', () => {
    expect(read('20240102', { unit: 's' })).toBe(20_240_102_000);
    expect(read('20240102', { unit: 'ms' })).toBe(20_240_102);
    expect(read(20_240_102, { unit: 'ms' })).toBe(20_240_102);
    expect(read('202401020930', { unit: 'ms' })).toBe(202_401_020_930);
    expect(read('94694400', { unit: 's' })).toBe(Date.UTC(1973, 0, 1));
    expect(read('1704187800.25', { unit: 's' })).toBe(AT + 250);
    expect(read('-86400', { unit: 's' })).toBe(-86_400_000);
    expect(read('1704187800000125', { unit: 'us' })).toBe(AT + 0.125);
    expect(read('1704187800000125.6', { unit: 'us' })).toBe(AT + 0.126);
    expect(read('2024-01-02 09:30', { unit: 's' })).toBe(AT);
    expect(read('20240102 0930', { unit: 's' })).toBe(AT);
  });

  it('reads all digits of nanoseconds', () => {
    expect(read('1704187800000125499', { unit: 'ns' })).toBe(AT + 0.125);
    expect(read('1704187800000125500', { unit: 'ns' })).toBe(AT + 0.126);
    expect(read('-1704187800000125499', { unit: 'ns' })).toBe(-AT - 0.125);
    expect(read('500', { unit: 'ns' })).toBe(0.001);
    expect(read(Number('1704187800000125440'), { unit: 'ns' })).toBe(AT + 0.125);
  });

  it('refuses a count that makes sense in another unit only, and names the unit', () => {
    for (const count of ['1704187800', 1_704_187_800, '1.7041878e9']) {
      expect(read(count)).toMatch(/^expected a count of milliseconds since 1970, got .*: give timeUnit: 's'$/);
    }
    expect(read('1704187800000000')).toMatch(/^expected a year from 1900 to 2027, got .*: give timeUnit: 'us'$/);
    expect(read(1_704_187_800_000_000_000)).toMatch(/: give timeUnit: 'ns'$/);
    expect(read('1704187800000', { unit: 's' })).toMatch(/: give timeUnit: 'ms'$/);
    expect(read('17041878000000000000000')).toMatch(/: give minYear or maxYear if it is meant$/);
    // Said to be milliseconds, or plausible in no unit.
    expect(read('1704187800', { unit: 'ms' })).toBe(1_704_187_800);
    for (const count of [0, 60_000, -60_000, 86_400_000]) expect(read(count)).toBe(count);
    expect(read('60000')).toBe(60_000);
  });

  it('refuses a number without a unit that has the digits of a date: JSON has dates as text', () => {
    for (const number of [20_240_102, 202_401_020_930, 20_240_102_093_000]) {
      expect(read(number)).toBe(
        `expected a date as text, got ${number}: write it in quotes, or give timeUnit: 'ms' if it is a count`,
      );
    }
    expect(read('20240102.0')).toMatch(/^expected a date as text/);
    expect(read(20_241_302)).toBe(20_241_302);
    expect(read(202_401_022_530)).toBe(202_401_022_530);
  });

  it('takes 12, 14 and 17 digits that make no date of the allowed years for a count', () => {
    expect(read('946684800000')).toBe(Date.UTC(2000, 0, 1));
    expect(read('203013010930')).toBe(203_013_010_930);
    expect(read('20241302093000')).toMatch(/^expected a year from 1900 to 2027/);
    expect(read('205001010930', { maxYear: 2050 })).toBe(Date.UTC(2050, 0, 1, 9, 30));
    expect(read('205001010930')).toBe(205_001_010_930);
  });

  it('takes other years where they are allowed', () => {
    expect(read('1850-01-01', { minYear: 1850 })).toBe(Date.UTC(1850, 0, 1));
    expect(read('2100-12-31', { maxYear: 2100 })).toBe(Date.UTC(2100, 11, 31));
    expect(read('4102444800', { unit: 's', maxYear: 2100 })).toBe(Date.UTC(2100, 0, 1));
    expect(read('2099-01-01', { minYear: 2050, maxYear: 2098 })).toMatch(/^expected a year from 2050 to 2098/);
  });

  it('refuses four digits once times are written without a zero in front: they could be minutes and seconds', () => {
    const reader = readerOf();
    expect(reader.read('20240102 1530')).toBe(DAY + 15.5 * 3_600_000);
    expect(reader.read('20240102 93000')).toBe(AT);
    expect(reader.read('20240102 1530')).toBeNaN();
    expect(reader.problem).toMatch(/^expected a time of day in six digits/);
    expect(reader.read('20240102 0930')).toBe(AT);
  });

  it('says for each time whether it is a date', () => {
    const reader = readerOf();
    const isDate = (text: string | number) => {
      reader.read(text);
      return reader.isDate;
    };
    expect(['2024-01-02', '2024-01-02T00:00', '20240102', 0, 'x'].map(isDate)).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  it.each([
    [{ unit: 'm' }, /InstantReader: unit must be one of .*got "m"/],
    [{ timeZone: 'New York' }, /timeZone must be the IANA name of a time zone.*got "New York"/],
    [{ dateOrder: 'dmy' }, /dateOrder must be one of/],
    [{ repeatedHour: 'both' }, /repeatedHour must be one of/],
    [{ minYear: 2000, maxYear: 1999 }, /maxYear must be at least minYear, 2000, got 1999/],
    [{ minYear: 0 }, /minYear must be an integer from 100 to 9999, got 0/],
  ])('refuses the options %j', (config, message) => {
    expect(() => new InstantReader(config as InstantReaderConfig)).toThrow(RangeError);
    expect(() => new InstantReader(config as InstantReaderConfig)).toThrow(message);
  });
});
