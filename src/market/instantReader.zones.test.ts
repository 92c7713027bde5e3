import { describe, expect, it } from 'vitest';
import { InstantReader, type InstantReaderConfig } from './instantReader.js';

function read(text: string, config: InstantReaderConfig): number | string {
  const reader = new InstantReader(config);
  const ms = reader.read(text);
  return Number.isNaN(ms) ? reader.problem : ms;
}

describe('InstantReader with a time zone', () => {
  const timeZone = 'America/New_York';

  it.each([
    ['2024-03-08 09:30:00', '2024-03-08T14:30:00Z'],
    ['2024-03-11 09:30:00', '2024-03-11T13:30:00Z'],
    ['2024-03-10 01:59:59', '2024-03-10T06:59:59Z'],
    ['2024-03-10 03:00', '2024-03-10T07:00:00Z'],
    ['2024-11-03 00:59:59', '2024-11-03T04:59:59Z'],
    ['2024-11-03 02:00', '2024-11-03T07:00:00Z'],
    ['2024-01-02', '2024-01-02T05:00:00Z'],
    ['20240702', '2024-07-02T04:00:00Z'],
    ['2024-07-02 24:00', '2024-07-03T04:00:00Z'],
    ['202407020930', '2024-07-02T13:30:00Z'],
    // What says where it is keeps that.
    ['2024-07-02 09:30Z', '2024-07-02T09:30:00Z'],
    ['2024-07-02 09:30 UTC', '2024-07-02T09:30:00Z'],
    ['2024-07-02 09:30+02:00', '2024-07-02T07:30:00Z'],
    ['20240702 09:30:00 Europe/Berlin', '2024-07-02T07:30:00Z'],
    ['1719912600000', '2024-07-02T09:30:00Z'],
  ])('reads %j as New York has it', (text, expected) => {
    expect(read(text, { timeZone })).toBe(Date.parse(expected));
  });

  it('keeps microseconds', () => {
    expect(read('2024-07-02 09:30:00.000125', { timeZone })).toBe(Date.parse('2024-07-02T13:30:00Z') + 0.125);
    expect(read('2024-11-03 01:30:00.000125', { timeZone, repeatedHour: 'second' })).toBe(
      Date.parse('2024-11-03T06:30:00Z') + 0.125,
    );
  });

  it('refuses an hour that the clocks skip', () => {
    for (const text of ['2024-03-10 02:00', '2024-03-10 02:59:59.999999', '20240310 02:30:00 US/Eastern']) {
      for (const repeatedHour of ['badRow', 'first', 'second'] as const) {
        expect(read(text, { timeZone, repeatedHour })).toMatch(
          /^expected a time that the clocks of (America\/New_York|US\/Eastern) show, got .*: they skip this hour/,
        );
      }
    }
    expect(read('20240310 02:30:00 US/Eastern', {})).toMatch(/the clocks of US\/Eastern show/);
  });

  it('refuses an hour that comes twice unless it is said which is meant', () => {
    for (const [text, first] of [
      ['2024-11-03 01:00', '2024-11-03T05:00:00Z'],
      ['2024-11-03 01:59:59', '2024-11-03T05:59:59Z'],
      ['20241103 01:30:00 US/Eastern', '2024-11-03T05:30:00Z'],
    ] as const) {
      expect(read(text, { timeZone })).toMatch(
        /^expected a time that the clocks of .* show only once, got .*: give repeatedHour: 'first' or 'second'$/,
      );
      expect(read(text, { timeZone, repeatedHour: 'first' })).toBe(Date.parse(first));
      expect(read(text, { timeZone, repeatedHour: 'second' })).toBe(Date.parse(first) + 3_600_000);
    }
  });

  it('keeps to clocks that move by half an hour, at midnight, or by a day', () => {
    expect(read('2024-10-06 02:15', { timeZone: 'Australia/Lord_Howe' })).toMatch(/skip this hour/);
    expect(read('2024-04-07 01:45', { timeZone: 'Australia/Lord_Howe' })).toMatch(/show only once/);
    expect(read('2024-04-07 01:45', { timeZone: 'Australia/Lord_Howe', repeatedHour: 'second' })).toBe(
      Date.parse('2024-04-06T15:15:00Z'),
    );
    // São Paulo began summer time at midnight: the day begins at 01:00.
    expect(read('2018-11-04', { timeZone: 'America/Sao_Paulo' })).toBe(Date.parse('2018-11-04T03:00:00Z'));
    expect(read('2018-11-04 00:00', { timeZone: 'America/Sao_Paulo' })).toMatch(/skip this hour/);
    // In Havana the first hour of that day comes twice: it begins with the first.
    expect(read('2023-11-05', { timeZone: 'America/Havana' })).toBe(Date.parse('2023-11-05T04:00:00Z'));
    expect(read('2023-11-05 00:30', { timeZone: 'America/Havana' })).toMatch(/show only once/);
    // Apia had no 30 December 2011.
    expect(read('2011-12-30', { timeZone: 'Pacific/Apia' })).toMatch(/skip this hour/);
    expect(read('2011-12-30 12:00', { timeZone: 'Pacific/Apia' })).toMatch(/skip this hour/);
    expect(read('2011-12-31', { timeZone: 'Pacific/Apia' })).toBe(Date.parse('2011-12-30T10:00:00Z'));
    expect(read('1900-01-01', { timeZone: 'Asia/Kolkata' })).toBe(Date.parse('1900-01-01T00:00:00+05:21') - 10_000);
  });

  it('reads a file in any order of its days, and of zones', () => {
    const reader = new InstantReader({ timeZone });
    const seen = [
      '2024-07-02 09:30',
      '2024-01-02 09:30',
      '20240702 09:30:00 Asia/Tokyo',
      '2024-07-02 09:30',
      '2024-11-03 03:00',
      '2024-11-03 00:00',
      '20240702 09:30:00 Nowhere/Land',
      '20240702 09:30:00 Asia/Tokyo',
    ].map((text) => reader.read(text));
    expect(seen).toEqual([
      Date.parse('2024-07-02T13:30:00Z'),
      Date.parse('2024-01-02T14:30:00Z'),
      Date.parse('2024-07-02T00:30:00Z'),
      Date.parse('2024-07-02T13:30:00Z'),
      Date.parse('2024-11-03T08:00:00Z'),
      Date.parse('2024-11-03T04:00:00Z'),
      Number.NaN,
      Date.parse('2024-07-02T00:30:00Z'),
    ]);
  });

  it('looks up no zone for a megabyte of names, and keeps few of them', () => {
    const reader = new InstantReader({ timeZone });
    expect(reader.read(`20240702 09:30:00 ${'A/'.repeat(500_000)}`)).toBeNaN();
    for (let i = 0; i < 200; i++) expect(reader.read(`20240702 09:30:00 Zone/N${i}`)).toBeNaN();
    expect(reader.read('20240702 09:30:00 Asia/Tokyo')).toBe(Date.parse('2024-07-02T00:30:00Z'));
  });
});

it('reads zones of one word that IANA means one by, and refuses those that mean several', () => {
  const reader = new InstantReader();
  const read = (zone: string) => reader.read(`20231115 09:30:00 ${zone}`);
  expect(['MET', 'Japan', 'GB', 'Hongkong', 'EST5EDT'].map((zone) => new Date(read(zone)).toISOString())).toEqual([
    ...['2023-11-15T08:30:00.000Z', '2023-11-15T00:30:00.000Z', '2023-11-15T09:30:00.000Z'],
    ...['2023-11-15T01:30:00.000Z', '2023-11-15T14:30:00.000Z'],
  ]);
  expect(['EST', 'CST', 'IST', 'BST', 'japan'].map(read)).toEqual(Array(5).fill(Number.NaN));
});
