import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runSluice } from '../../test/support/fakeTerminal.js';

describe('sluice', () => {
  it('prints its help and its version', async () => {
    const help = await runSluice(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: sluice [options] [command]');
    expect(help.stdout).toContain('Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 done but');
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await runSluice(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([
    ['no command', [], 'Usage: sluice'],
    ['an unknown command', ['confgi'], "error: unknown command 'confgi'\n(Did you mean config?)"],
    ['an unknown option', ['config', '--jsno'], "error: unknown option '--jsno'\n(Did you mean --json?)"],
    ['too many arguments', ['config', 'all'], "error: too many arguments for 'config'"],
  ])('refuses %s as wrong usage', async (_, args, said) => {
    const { code, stdout, stderr } = await runSluice(args);
    expect(stderr).toContain(said);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it.each([
    [['migrate', '--database-url=postgres://u:hunter2@h/d']],
    [['migrate', 'postgres://u:hunter2@h/d']],
    [['dlq', 'replay', '--rate', 'postgres://u:hunter2@h/d']],
    [['postgres://u:hunter2@h/d']],
  ])('shows no password of an argument that it refuses: %j', async (args) => {
    const { code, stderr } = await runSluice(args);
    expect(code).toBe(2);
    expect(stderr).toContain('error:');
    expect(stderr).not.toContain('hunter2');
  });

  it('tells wrong settings, a line each, without a stack', async () => {
    const env = { MDS_METRICS_PORT: 'http', MDS_RETRY_JITER: '1', DATABASE_URL: 'mysql://u:hunter2@h/d' };
    const { code, stdout, stderr } = await runSluice(['config'], { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^error: 3 settings are wrong:\n {2}MDS_RETRY_JITER .*\n {2}MDS_METRICS_PORT .*\n {2}DATABASE_URL .*\n$/,
    );
    expect(stderr).not.toContain('hunter2');
  });

  it('shows the stack with --debug, before or after the command, and still no secret', async () => {
    const env = { DATABASE_URL: 'mysql://u:hunter2@h/d' };
    for (const args of [
      ['--debug', 'config'],
      ['config', '--debug'],
    ]) {
      const { code, stderr } = await runSluice(args, { env });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^\s+at /m);
      expect(stderr).not.toContain('hunter2');
    }
  });

  it('reads another file in place of .env, which must be there', async () => {
    const { code, stderr } = await runSluice(['--dotenv-file', 'prod.env', 'config']);
    expect(code).toBe(2);
    expect(stderr).toContain('/nowhere/prod.env does not exist');
  });

  it.each([
    ['migrate', '--store-folder=~/store'],
    ['dlq', 'ls', '--dir=$HOME/letters'],
    ['config', '--dotenv-file=~/.env'],
  ])('refuses a path that only a shell understands: %s %s', async (...args) => {
    const { code, stderr } = await runSluice(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/is invalid\. It has (~|\$HOME), which only a shell replaces: write the whole path/);
  });

  it('ends quietly when nobody reads its output any more', async () => {
    expect(await runSluice(['config'], { closesAfter: 0 })).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
