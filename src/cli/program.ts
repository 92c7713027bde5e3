import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { isSettingsError } from '../settings/settingsError.js';
import { configCommand } from './commands/config.js';
import { dlqCommand } from './commands/dlq.js';
import { migrateCommand } from './commands/migrate.js';
import { EXIT, type ExitCode } from './exitCodes.js';
import { type GlobalOptions, Invocation } from './invocation.js';
import { sentence } from './sentence.js';
import { isOutputClosedError, type Terminal } from './terminal.js';
import { isUsageError } from './usageError.js';

/** Runs `sluice` with the arguments that follow its name, and returns what to exit with. It throws nothing. */
export async function sluice(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const heard: Promise<void>[] = [];
  const say = (output: Terminal['stdout']) => (text: string) => {
    // Commander waits for nothing that it writes.
    heard.push(output.write(text).catch(() => {}));
  };
  const program = new Command('sluice')
    .description('Settings, store and dead letters of a Sluice pipeline.')
    .version(version(), '-V, --version', 'print the version')
    // Not --env-file: Node 20 takes that for its own, wherever it stands.
    .option('--dotenv-file <path>', 'read this file of NAME=value lines in place of .env')
    .option('--debug', 'show errors with their stack and causes', false)
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    .configureOutput({
      writeOut: say(terminal.stdout),
      writeErr: say(terminal.stderr),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      'after',
      '\nSettings come from the environment and .env: see `sluice config`.\n' +
        'Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 done but dead letters are left.',
    );
  const globals = (): GlobalOptions => {
    const { debug, dotenvFile } = program.opts<{ debug: boolean; dotenvFile?: string }>();
    return { debug, dotenvFile };
  };
  const invocation = new Invocation(terminal, globals);
  const commands = [configCommand(invocation), migrateCommand(invocation), dlqCommand(invocation)];
  for (const command of commands) program.addCommand(inheriting(command, program));

  try {
    await program.parseAsync([...args], { from: 'user' });
    return invocation.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    if (isOutputClosedError(error)) return invocation.exitCode;
    await terminal.stderr.write(`error: ${sentence(error, globals().debug)}\n`).catch(() => {});
    return isSettingsError(error) || isUsageError(error) ? EXIT.USAGE : EXIT.FAILED;
  } finally {
    await Promise.all(heard);
  }
}

/** A command that is added, rather than made in place, does not hear how its parent writes and ends. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(child, command);
  return command;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
