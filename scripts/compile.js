// Compiles what the programs of this checkout are made of, without looking at types, which `npm test` does: under a second
// where tsc takes many. Only what has changed is compiled; an output has the time of its source. compile.js for all of it.
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Folders of sources, and where they go. Benches use the server of the tests, which uses the sources beside it. */
const PACKAGE = [['src', 'dist']];
const PROGRAMS = {
  examples: [...PACKAGE, ['examples', '.build/examples']],
  bench: [
    ...PACKAGE,
    ['src', '.build/src'],
    ['test/postgres', '.build/test/postgres'],
    ['test/support', '.build/test/support'],
    ['bench', '.build/bench'],
  ],
};

/** Compiles the programs of a folder, and says so if there is something to compile. Exits with a sentence if it cannot. */
export async function compile(folder) {
  try {
    const outdated = outdatedOf(PROGRAMS[folder]);
    if (outdated.length === 0) return;
    const files = outdated.length === 1 ? '1 file' : `${outdated.length} files`;
    console.error(`compiling ${files} …`);
    const { transformSync } = await compiler();
    for (const file of outdated) compileFile(file, transformSync);
  } catch (error) {
    console.error(`error: ${sentenceOf(error)}`);
    process.exit(1);
  }
}

/** The files whose output is not of this version of theirs. */
function outdatedOf(folders) {
  const files = folders.flatMap(([from, to]) =>
    readdirSync(`${ROOT}${from}`, { recursive: true })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map((path) => ({ source: `${ROOT}${from}/${path}`, output: `${ROOT}${to}/${path.slice(0, -'.ts'.length)}.js` })),
  );
  return files.filter(({ source, output }) => {
    const { mtimeMs = 0 } = statSync(output, { throwIfNoEntry: false }) ?? {};
    return Math.abs(mtimeMs - statSync(source).mtimeMs) >= 1;
  });
}

async function compiler() {
  try {
    return await import('rolldown/utils');
  } catch (cause) {
    throw new Error('the compiler is not installed: run `npm ci` first', { cause });
  }
}

/** The output appears in one step: whoever ends this half-way leaves no half of a file. */
function compileFile({ source, output }, transformSync) {
  const { mtimeMs } = statSync(source);
  const text = readFileSync(source, 'utf8');
  const options = { target: 'es2023', tsconfig: false, typescript: { onlyRemoveTypeImports: true } };
  const { code, errors } = transformSync(source, text, options);
  if (errors.length > 0) throw new Error(errors.map(({ codeframe, message }) => codeframe ?? message).join('\n'));
  const draft = `${output}.${process.pid}`;
  mkdirSync(dirname(output), { recursive: true });
  try {
    writeFileSync(draft, code);
    if (text.startsWith('#!')) chmodSync(draft, 0o755);
    utimesSync(draft, new Date(), new Date(mtimeMs));
    renameSync(draft, output);
  } finally {
    rmSync(draft, { force: true });
  }
}

const MEANINGS = {
  EACCES: 'no permission: run as the user to whom the folder belongs, or in a copy of your own',
  EPERM: 'no permission: run as the user to whom the folder belongs, or in a copy of your own',
  EROFS: 'the file system is read-only: run in a copy that can be written',
  ENOTDIR: 'a file is where a folder should be: remove it',
  ENOSPC: 'no space is left on the disk: free some',
  EDQUOT: 'your share of the disk is used up: free some',
};

function sentenceOf(error) {
  const { code, path, message } = error;
  if (!(code in MEANINGS)) return message;
  return `cannot use ${relative(process.cwd(), path) || path}: ${MEANINGS[code]}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const folder of Object.keys(PROGRAMS)) await compile(folder);
}
