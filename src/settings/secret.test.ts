import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeSettings } from './describeSettings.js';
import { loadSettings } from './loadSettings.js';
import { Secret, withoutPassword } from './secret.js';

const PASSWORD = 'hunter2';
const URL_TEXT = `postgres://mds:${PASSWORD}@db.example:5433/bars?sslmode=require`;

describe('a secret', () => {
  const secret = new Secret(PASSWORD);

  it('is shown by reveal()', () => {
    expect(secret.reveal()).toBe(PASSWORD);
  });

  it.each<[string, (value: unknown) => string]>([
    ['String()', (value) => String(value)],
    ['a template', (value) => `${value}`],
    ['concatenation', (value) => ''.concat(value as string)],
    ['JSON', (value) => JSON.stringify({ value })],
    ['inspect', (value) => inspect(value, { showHidden: true, depth: 9 })],
    ['inspect of what holds it', (value) => inspect({ a: [{ value }] }, { showHidden: true, depth: 9 })],
    ['console.log', (value) => format('%s %o %O %j', value, value, value, value)],
    ['its fields', (value) => JSON.stringify([Object.entries(value as object), Reflect.ownKeys(value as object)])],
    ['a copy', (value) => JSON.stringify(structuredClone(value))],
    ['an error', (value) => inspect(new Error(`x ${value}`, { cause: value }))],
  ])('is not shown by %s', (_, show) => {
    expect(show(secret)).not.toContain(PASSWORD);
    expect(show(loadSettings({ env: { DATABASE_URL: URL_TEXT }, dotenvFile: false }).databaseUrl)).not.toContain(
      PASSWORD,
    );
  });
});

describe('settings', () => {
  const settings = loadSettings({ env: { DATABASE_URL: URL_TEXT }, dotenvFile: false });

  it('show no password however they are printed', () => {
    for (const text of [
      inspect(settings, { showHidden: true, depth: 9 }),
      JSON.stringify(settings),
      JSON.stringify(describeSettings(settings)),
      inspect(describeSettings(settings), { depth: 9 }),
    ]) {
      expect(text).toContain('***');
      expect(text).not.toContain(PASSWORD);
    }
  });

  it.each([
    `postgres://mds:${PASSWORD}@h:x/d`,
    `mysql://mds:${PASSWORD}@h/d`,
    PASSWORD,
    `postgres://${PASSWORD}${'x'.repeat(300)} y`,
  ])('do not put it into a mistake: %s', (text) => {
    let thrown: unknown;
    try {
      loadSettings({ env: { DATABASE_URL: text }, dotenvFile: false });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    expect(`${inspect(thrown, { showHidden: true, depth: 9 })}${JSON.stringify(thrown)}`).not.toContain(PASSWORD);
  });
});

describe('a connection string without its password', () => {
  it.each([
    [URL_TEXT, 'postgres://***@db.example:5433/bars?***'],
    ['postgresql://localhost/bars', 'postgresql://localhost/bars'],
    ['postgres://mds@[::1]:5432/bars', 'postgres://***@[::1]:5432/bars'],
    ['postgres:///bars?host=/run&password=hunter2', 'postgres:///bars?***'],
    // Passwords in which an @ or a / was not escaped: no piece of them is shown.
    ['postgres://u:hunter2@more@host/db', '***'],
    ['postgres://u:5/hunter2@host/db', '***'],
    ['postgres://u:5?hunter2@host/db', '***'],
    ['postgres://u:5#hunter2@host/db', '***'],
    ['hunter2', '***'],
  ])('%s is %s', (url, shown) => {
    expect(withoutPassword(new Secret(url))).toBe(shown);
  });
});
