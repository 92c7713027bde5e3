import { posix } from 'node:path';
import { type Files, lineAt } from '../repository.js';
import { unstar } from '../syntax.js';

export interface Fence {
  readonly path: string;
  /** The line of the file that the block's first line stands on. */
  readonly line: number;
  /** What follows the opening fence: `ts`, `bash`. */
  readonly language: string;
  readonly code: string;
  /** The file that the page tells its reader to make of the block, by a paragraph above it that begins with the name: `` `a.ts`. ``. */
  readonly file?: string;
}

/** The fenced blocks of a Markdown text whose first line is line `firstLine` of its file. */
export function fencesOf(path: string, markdown: string, firstLine = 1): Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split('\n');
  let file: string | undefined;
  for (let i = 0; i < lines.length; i++) {
    const open = /^(\s*)(`{3,})(.*)$/.exec(lines[i] ?? '');
    if (!open) {
      file = /^`([\w.-]+\.ts)`[.:]/.exec(lines[i] ?? '')?.[1] ?? file;
      continue;
    }
    const [, indent = '', ticks = '', language = ''] = open;
    const code: string[] = [];
    const line = firstLine + i + 1;
    for (i += 1; i < lines.length && !(lines[i] ?? '').trim().startsWith(ticks); i++) {
      const text = lines[i] ?? '';
      code.push(text.startsWith(indent) ? text.slice(indent.length) : text);
    }
    fences.push({ path, line, language: language.trim(), code: code.join('\n'), ...(file !== undefined && { file }) });
    file = undefined;
  }
  return fences;
}

/** The fenced blocks of the docblocks of a source file. */
export function docblockFences(path: string, text: string): Fence[] {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((match) =>
    fencesOf(path, unstar(match[0]), lineAt(text, match.index)),
  );
}

/** Whatever is TypeScript is fenced as `ts`, without more, so that it is checked; sketches are `text`. */
export const FENCE_LANGUAGES = ['ts', 'text', 'sh', 'bash', 'json', 'sql', 'csv', 'yaml', 'prometheus', 'mermaid'];

export function fenceProblems(fences: readonly Fence[]): string[] {
  return fences
    .filter(({ language }) => !FENCE_LANGUAGES.includes(language))
    .map(({ path, line, language }) => {
      const found = language ? `\`\`\`${language}` : 'a fence without a language';
      return `${path}:${line}: ${found}; use one of ${FENCE_LANGUAGES.join(', ')} (ts is type-checked, text is for sketches)`;
    });
}

/** Relative links whose file, or whose heading in it, does not exist. `exists` knows files and folders of the repository. */
export function linkProblems(pages: Files, exists: (path: string) => boolean): string[] {
  const problems: string[] = [];
  for (const [path, text] of pages) {
    const blanked = text
      .replace(/^(`{3,})[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, ' '))
      .replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length));
    for (const match of blanked.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)|^\[[^\]]+\]: *(\S+)/gm)) {
      const link = match[1] ?? match[2] ?? '';
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
      const at = `${path}:${lineAt(text, match.index)}`;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), decodeURI(file)));
      if (file.startsWith('/') || target.startsWith('..')) problems.push(`${at}: ${link} leads out of the repository`);
      else if (!exists(target)) problems.push(`${at}: ${link} leads nowhere (no ${target})`);
      else if (anchor && pages.has(target) && !anchorsOf(pages.get(target) ?? '').has(anchor)) {
        problems.push(`${at}: ${target} has no heading #${anchor}`);
      }
    }
  }
  return problems;
}

/** The anchors that GitHub makes of the headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const match of text.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** `lastValueFrom()` and `firstValueFrom()` reject where nothing was emitted, as by a pipeline that had nothing to write. */
export function lastValueProblems(codes: readonly Pick<Fence, 'path' | 'line' | 'code'>[]): string[] {
  return codes.flatMap(({ path, line, code }) =>
    [...code.matchAll(/\b(?:last|first)ValueFrom\((?!replayDeadLetters\()[^;]*/g)]
      .filter(([call]) => !call.includes('defaultValue'))
      .map((match) => `${path}:${line + lineAt(code, match.index) - 1}: run() it, or give a defaultValue`),
  );
}
