import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { redactText } from '../primitives/redact.js';
import { isProviderChoiceError } from '../providers/registry.js';
import { isSettingsError } from '../settings/settingsError.js';
import { CommandContext, EXIT, type ExitCode, type GlobalOptions, UsageError } from './commandContext.js';
import { backfillCommand } from './commands/backfill.js';
import { captureCommand } from './commands/capture.js';
import { configCommand } from './commands/config.js';
import { dlqCommand } from './commands/dlq.js';
import { gapsCommand } from './commands/gaps.js';
import { migrateCommand } from './commands/migrate.js';
import { simCommand } from './commands/sim.js';
import { formatError } from './formatError.js';
import { path } from './parsers.js';
import { OutputClosedError, printableTerminal, type Terminal } from './terminal.js';

/** Runs `sluice` with the arguments that follow its name, and resolves with the exit code. Never rejects. */
export async function sluice(args: readonly string[], processTerminal: Terminal): Promise<ExitCode> {
  const terminal = printableTerminal(processTerminal);
  const written: Promise<void>[] = [];
  const writeTo = (output: Terminal['stdout']) => (text: string) => {
    // Commander does not wait for its output.
    written.push(output.write(text).catch(() => {}));
  };
  const program = new Command('sluice')
    .description(
      'Settings, store, dead letters and gaps of a Sluice pipeline, captures of providers, and a simulated market.',
    )
    .version(version(), '-V, --version', 'print the version')
    // Not --env-file, which Node 20 takes for its own in any position.
    .option('--dotenv-file <path>', 'read this file of NAME=value lines instead of .env', path)
    .option('--debug', 'show errors with their stack and causes', false)
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    .configureOutput({
      writeOut: writeTo(terminal.stdout),
      // It quotes arguments, and one may be the address of a database.
      writeErr: (text) => writeTo(terminal.stderr)(redactText(text)),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      'after',
      '\nSettings come from the environment and .env: see `sluice config`.\n' +
        'Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 done but dead letters remain.',
    );
  const globals = () => program.opts<GlobalOptions>();
  const context = new CommandContext(terminal, globals);
  const commands = [
    ...[configCommand(context), migrateCommand(context), dlqCommand(context), gapsCommand(context)],
    ...[backfillCommand(context), captureCommand(context), simCommand(context)],
  ];
  program.hook('preAction', () => context.prepare());
  for (const command of commands) program.addCommand(inheriting(command, program));

  try {
    await program.parseAsync([...args], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    if (error instanceof OutputClosedError) return context.exitCode;
    await terminal.stderr.write(`error: ${formatError(error, globals().debug)}\n`).catch(() => {});
    return isSettingsError(error) || isProviderChoiceError(error) || error instanceof UsageError
      ? EXIT.USAGE
      : EXIT.FAILED;
  } finally {
    await Promise.all(written);
  }
}

/** Unlike `program.command()`, `addCommand()` does not hand down the output and exit settings. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(child, command);
  return command;
}

function version(): string {
  return createRequire(import.meta.url)('../../package.json').version;
}
