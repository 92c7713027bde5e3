import type { Fence } from './markdown.js';

/** The lines of the shell blocks: what a reader is told to type. */
export function commandsOf(fences: readonly Fence[]): string[] {
  return fences
    .filter(({ language }) => language === 'sh' || language === 'bash')
    .flatMap(({ code }) => code.split('\n'))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/\s+#.*$/, '')
        .trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The npm commands that a page names in running text. */
export function inlineCommandsOf(markdown: string): string[] {
  return [...markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`(npm [^`]+)`/g)].map((match) => match[1] ?? '');
}

const SET_UP = ['npm ci && npm start', 'npm ci && npm test'];

/** The two commands that do everything on a fresh machine. */
export function readmeProblems(commands: readonly string[]): string[] {
  return SET_UP.filter((command) => !commands.includes(command)).map(
    (command) => `README.md: no \`\`\`sh block has the line "${command}"`,
  );
}

/** `.ci/run` runs the README's test command, word for word, and stops at what fails. */
export function ciProblems(script: string, testCommand: string): string[] {
  const lines = script.split('\n').filter((line) => !/^\s*#/.test(line));
  const problems: string[] = [];
  if (!script.startsWith('#!')) problems.push('.ci/run begins with no #!');
  if (!lines.some((line) => /^set -euo pipefail$/.test(line))) problems.push('.ci/run does not set -euo pipefail');
  if (!lines.some((line) => line.includes(`'${testCommand}'`))) problems.push(`.ci/run does not run '${testCommand}'`);
  for (const line of lines) if (/\|\| *(true|:)/.test(line)) problems.push(`.ci/run hides a failure: ${line.trim()}`);
  return problems;
}

const NPM_ITSELF = new Set(['ci', 'exec', 'i', 'init', 'install', 'ls', 'pack', 'pkg']);

/** npm scripts, and programs of `npm run example` and `npm run bench`, that a page names and that do not exist. */
export function scriptProblems(
  path: string,
  commands: readonly string[],
  known: { scripts: readonly string[]; examples: readonly string[]; bench: readonly string[] },
): string[] {
  const problems: string[] = [];
  for (const command of commands) {
    for (const match of command.matchAll(/\bnpm (?:run )?(?:--silent )?([\w:-]+)(?: -- ([\w-]+))?/g)) {
      const [, script = '', program] = match;
      if (!NPM_ITSELF.has(script) && !known.scripts.includes(script))
        problems.push(`${path}: package.json has no script ${script} (${command})`);
      const programs = script === 'example' ? known.examples : script === 'bench' ? known.bench : undefined;
      if (program && programs && !programs.includes(program)) {
        problems.push(`${path}: there is no ${script} ${program} (${command})`);
      }
    }
  }
  return problems;
}

export interface LockFile {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

/** Optional packages, those of other platforms, that are not in the lock file: `npm ci` refuses it then. */
export function lockProblems(lock: LockFile): string[] {
  return Object.entries(lock.packages).flatMap(([path, { optionalDependencies }]) =>
    Object.entries(optionalDependencies ?? {})
      .filter(
        ([name]) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
      )
      .map(([name, version]) => `package-lock.json lacks ${name}@${version} of ${path}: npm ci refuses the file`),
  );
}
