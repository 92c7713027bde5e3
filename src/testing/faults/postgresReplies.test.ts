import { describe, expect, it } from 'vitest';
import { PostgresReplies } from './postgresReplies.js';

const message = (type: string, body: Buffer | string = ''): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, Buffer.from(body)]);
};
const complete = (tag: string) => message('C', `${tag}\0`);
const ready = (status: 'I' | 'T' | 'E') => message('Z', status);
const row = (length: number) => message('D', Buffer.alloc(length, 0x43));
const failed = message('E', 'SERROR\0C23505\0\0');

const packet = (code: number, rest = '') => {
  const bytes = Buffer.alloc(8 + rest.length);
  bytes.writeInt32BE(bytes.length);
  bytes.writeInt32BE(code, 4);
  bytes.write(rest, 8);
  return bytes;
};
const STARTUP = packet(196_608, 'user\0me\0\0');
const SSL = packet(80_877_103);

const LOGIN = Buffer.concat([message('R', '\0\0\0\0'), message('S', 'a\0b\0'), ready('I')]);

/** What comes of the server's messages in chunks of this size: what passes until a reply is taken out, and behind it. */
function outcome(messages: readonly Buffer[], chunkSize: number, isWanted = () => true) {
  const replies = new PostgresReplies(isWanted);
  replies.fromClient(STARTUP);
  const all = Buffer.concat([LOGIN, ...messages]);
  const pass: Buffer[] = [];
  let swallowed = 0;
  for (let at = 0; at < all.length; at += chunkSize) {
    const result = replies.fromServer(all.subarray(at, at + chunkSize));
    pass.push(...result.pass);
    if (result.swallowed) swallowed += 1;
  }
  const passed = Buffer.concat(pass);
  return { swallowed, passed: passed.subarray(LOGIN.length).toString('latin1'), rest: replies.rest().length };
}

const text = (...messages: readonly Buffer[]) => Buffer.concat(messages).toString('latin1');

describe.each([1, 2, 3, 5, 7, 64, 100_000])('the reply to a commit, in chunks of %i bytes', (size) => {
  it.each<[string, readonly Buffer[], readonly Buffer[]]>([
    ['an insert', [message('1'), message('2'), message('n'), complete('INSERT 0 12'), ready('I')], []],
    ['a copy', [message('G', '\x01\0\0'), complete('COPY 400'), ready('I')], []],
    ['a copy with an upsert behind it', [message('G'), complete('COPY 4'), complete('INSERT 0 3'), ready('I')], []],
    ['an update', [complete('UPDATE 1'), ready('I')], []],
    ['a commit', [complete('COMMIT'), ready('I')], []],
    ['a transaction in one message', [complete('BEGIN'), complete('INSERT 0 1'), complete('COMMIT'), ready('I')], []],
    [
      'a transaction with a savepoint taken back',
      [complete('INSERT 0 1'), complete('ROLLBACK'), complete('COMMIT'), ready('I')],
      [],
    ],
  ])('is taken out: %s', (_, messages) => {
    const first = messages.findIndex((one) => one[0] === 0x43);
    expect(outcome(messages, size)).toEqual({ swallowed: 1, passed: text(...messages.slice(0, first)), rest: 0 });
  });

  it.each<[string, readonly Buffer[]]>([
    ['a query', [row(9_000), complete('SELECT 1'), ready('I')]],
    ['a copy out', [message('H'), message('d', 'row'), message('c'), complete('COPY 1'), ready('I')]],
    ['an insert in a transaction', [complete('INSERT 0 1'), ready('T')]],
    ['an insert whose commit fails', [complete('INSERT 0 1'), failed, ready('I')]],
    ['an insert that is rolled back', [complete('INSERT 0 1'), complete('ROLLBACK'), ready('I')]],
    ['a commit of what has failed', [complete('ROLLBACK'), ready('I')]],
    ['a failed insert', [failed, ready('I')]],
    ['a table made', [complete('CREATE TABLE'), ready('I')]],
    ['a message longer than any tag', [message('C', `INSERT ${'9'.repeat(5_000)}\0`), ready('I')]],
  ])('is not seen in %s', (_, messages) => {
    expect(outcome(messages, size)).toEqual({ swallowed: 0, passed: text(...messages), rest: 0 });
  });

  it('is passed on where it is not wanted', () => {
    const messages = [complete('INSERT 0 1'), ready('I')];
    expect(outcome(messages, size, () => false)).toEqual({ swallowed: 0, passed: text(...messages), rest: 0 });
  });

  it('is found behind others, of which nothing is missing', () => {
    const before = [row(10), complete('SELECT 1'), ready('I'), complete('INSERT 0 1'), ready('T')];
    expect(outcome([...before, complete('COMMIT'), ready('I')], size)).toEqual({
      swallowed: 1,
      passed: text(...before),
      rest: 0,
    });
  });

  it('does not keep from the client what it has to answer', () => {
    const messages = [message('G'), complete('COPY 1'), message('G')];
    expect(outcome(messages, size)).toEqual({ swallowed: 0, passed: text(...messages), rest: 0 });
    const all = [...messages, complete('COPY 2'), ready('I')];
    expect(outcome(all, size)).toMatchObject({ swallowed: 1, passed: text(...messages) });
  });

  it('is handed out where the server ends before it is sure', () => {
    const replies = new PostgresReplies(() => true);
    replies.fromClient(STARTUP);
    const held = Buffer.concat([complete('INSERT 0 1'), ready('I').subarray(0, 3)]);
    const passed: Buffer[] = [];
    for (let at = 0; at < held.length; at += size)
      passed.push(...replies.fromServer(held.subarray(at, at + size)).pass);
    expect(passed).toEqual([]);
    expect(Buffer.concat(replies.rest())).toEqual(held);
  });
});

describe('the rows of a result', () => {
  it('are counted one by one, however the bytes come, and what follows the last that passes is lost', () => {
    const all = Buffer.concat([LOGIN, row(9), row(2_000), row(9), complete('SELECT 3'), ready('I')]);
    const passes = LOGIN.length + row(9).length + row(2_000).length;
    for (const size of [all.length, 7, 1]) {
      let rows = 0;
      const replies = new PostgresReplies(
        () => false,
        () => {
          rows += 1;
          return rows === 2;
        },
      );
      for (const byte of STARTUP) replies.fromClient(Buffer.of(byte));
      const passed: Buffer[] = [];
      let isDue = false;
      for (let at = 0; at < all.length && !isDue; at += size) {
        const { pass, hasRowDue } = replies.fromServer(all.subarray(at, at + size));
        passed.push(...pass);
        isDue = hasRowDue === true;
      }
      expect(isDue).toBe(true);
      expect(Buffer.concat(passed)).toEqual(all.subarray(0, passes));
    }
  });
});

describe('the first messages', () => {
  it('may ask for encryption, which is denied', () => {
    const replies = new PostgresReplies(() => true);
    for (const byte of SSL) replies.fromClient(Buffer.of(byte));
    expect(replies.fromServer(Buffer.from('N'))).toEqual({ pass: [Buffer.from('N')], swallowed: false });
    replies.fromClient(STARTUP);
    expect(replies.fromServer(Buffer.concat([LOGIN, complete('COMMIT'), ready('I')]))).toEqual({
      pass: [LOGIN],
      swallowed: true,
    });
  });

  it.each<[string, Buffer, Buffer]>([
    ['encryption', SSL, Buffer.from('S')],
    ['another protocol', Buffer.from('GET / HTTP/1.1'), Buffer.from('HTTP/1.1 200 OK')],
    ['a message of no length', STARTUP, Buffer.from('C\0\0\0\x01')],
  ])('may be of what cannot be read: %s', (_, question, answer) => {
    const replies = new PostgresReplies(() => true);
    replies.fromClient(question);
    expect(replies.fromServer(answer).pass.map(String).join('')).toBe(String(answer));
    expect(replies.isOpaque).toBe(true);
    const later = Buffer.concat([complete('INSERT 0 1'), ready('I')]);
    expect(replies.fromServer(later)).toEqual({ pass: [later], swallowed: false });
  });
});
