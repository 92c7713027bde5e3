import { describe, expect, it, onTestFinished } from 'vitest';
import { describeValue } from '../../src/contracts/decodeProblems.js';
import { DeadLetterError } from '../../src/dead-letters/deadLetterError.js';
import { NotAFileError } from '../../src/disk/disk.js';
import { FolderLockedError } from '../../src/disk/folderLockedError.js';
import { NdjsonError } from '../../src/files/ndjsonError.js';
import { FileNotFoundError } from '../../src/files/read/fileNotFoundError.js';
import { MissingColumnError } from '../../src/files/read/missingColumnError.js';
import { UnreadableFileError } from '../../src/files/read/unreadableFileError.js';
import { DecodeError } from '../../src/operators/errors/decodeError.js';
import { UnroutedError } from '../../src/operators/errors/unroutedError.js';
import { MigrationError } from '../../src/postgres/migrate/migrationError.js';
import { StoreReadError } from '../../src/postgres/read/storeReadError.js';
import { StoreError } from '../../src/postgres/storeError.js';
import { messageOf } from '../../src/primitives/messageOf.js';
import { FrameCaptureError } from '../../src/providers/frames/frameCaptureError.js';
import { ConnectionLost } from '../../src/providers/providerErrors.js';
import { ProviderChoiceError } from '../../src/providers/registry.js';
import { Unreadable } from '../../src/providers/session.js';
import { SettingsError } from '../../src/settings/settingsError.js';
import { createLogger } from '../../src/telemetry/createLogger.js';
import { json } from '../../src/telemetry/servePages.js';
import { replay } from '../support/barFiles.js';
import { runSluice } from '../support/fakeTerminal.js';
import { Folder } from '../support/folder.js';

/** Red, a title, red again as C1 has it, reversed, hidden, a line separator, and what could not be read. */
const HOSTILE = '\u001b[31m\u001b]0;owned\u0007\u009b31m\u202e\u200b\u2028\ufffd\u007f';

/** All that a terminal must not receive; line feeds and tabs stand in texts of several lines. */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/u;

function folder(): Folder {
  const made = new Folder();
  onTestFinished(() => made.remove());
  return made;
}

describe('no control character reaches a terminal', () => {
  const outside = new Error(`column "${HOSTILE}" does not exist`);
  it.each([
    ['a file name that is not there', new FileNotFoundError(HOSTILE)],
    ['a file name that cannot be read', new UnreadableFileError(HOSTILE, 3, { cause: outside })],
    ['the columns of a file', new MissingColumnError('a.csv', HOSTILE, [HOSTILE], 'Rename it.')],
    ['a file that is written', new NdjsonError(HOSTILE, 'the disk is full', { cause: outside })],
    ['a folder of others', new FolderLockedError(HOSTILE, { pid: 1, holder: HOSTILE, remedy: '' })],
    ['a thing that is no file', new NotAFileError(HOSTILE, 'a pipe')],
    ['a message of a database', new StoreError('SLUICE_STORE_FAILED', outside.message, { cause: outside })],
    ['a message of a database that is read', new StoreReadError(HOSTILE, { cause: outside })],
    ['a database that is migrated', new MigrationError('SLUICE_MIGRATION_FAILED', outside.message)],
    ['the words of a vendor', new ConnectionLost('acme', HOSTILE)],
    ['the name of a provider', new ProviderChoiceError(HOSTILE)],
    ['a capture of frames', new FrameCaptureError(HOSTILE)],
    ['a dead letter', new DeadLetterError('SLUICE_DEAD_LETTERS_FOLDER', HOSTILE)],
    ['a kind without a branch', new UnroutedError('route', HOSTILE, ['bar'])],
    ['a setting', new SettingsError([{ variable: 'A', message: HOSTILE }])],
    [
      'a value that a codec refuses',
      new DecodeError([{ path: '', expected: 'a number', got: describeValue(HOSTILE) }]),
    ],
    ['an element of a frame', new Error(new Unreadable(HOSTILE).reason)],
    ['an error of anybody', new Error(messageOf(outside))],
  ])('by %s', (_what, { message }) => {
    expect(message).toContain('\\u001b[31m');
    expect(message).not.toMatch(UNSAFE);
  });

  it('by the rows of a file', async () => {
    const files = folder();
    const csv = files.write(
      'a.csv',
      `vendor,symbol,timeframe,ts,open,high,low,close,volume\na,${HOSTILE},1m,0,1,1,1,1,1\n`,
    );
    const ndjson = files.write('a.ndjson', `{"vendor":"a","symbol":${HOSTILE}}\n{"vendor":"${HOSTILE}"}\n`);
    for (const path of [csv, ndjson]) {
      const { bad, end } = await replay(path);
      expect(bad.length).toBeGreaterThan(0);
      for (const { message } of bad) expect(message).not.toMatch(UNSAFE);
      expect(String((end as { error?: Error }).error?.message)).not.toMatch(UNSAFE);
    }
  });

  it('by an option that is wrong', async () => {
    const refused: Error = await replay(`${HOSTILE}.txt`).then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(refused.message).toContain('\\u001b[31m');
    expect(refused.message).not.toMatch(UNSAFE);
  });

  it('by the command line', async () => {
    for (const args of [
      [HOSTILE],
      ['dlq', 'show', HOSTILE, '--dir', `/nowhere/${HOSTILE}`],
      ['--dotenv-file', HOSTILE, 'config'],
    ]) {
      const { code, stdout, stderr } = await runSluice(args);
      expect(code).not.toBe(0);
      expect(stderr).not.toBe('');
      expect(stdout + stderr).not.toMatch(UNSAFE);
    }
  });

  it('by a line of the log, or a page of the telemetry, and both say the same', () => {
    const lines: string[] = [];
    createLogger({ destination: { write: (line) => lines.push(line) } }).info({ symbol: HOSTILE }, HOSTILE);
    expect(lines.join('')).not.toMatch(UNSAFE);
    expect(JSON.parse(lines.join(''))).toMatchObject({ symbol: HOSTILE, msg: HOSTILE });
    const { body } = json(200, { symbol: HOSTILE });
    expect(body).not.toMatch(UNSAFE);
    expect(JSON.parse(String(body))).toEqual({ symbol: HOSTILE });
  });
});
