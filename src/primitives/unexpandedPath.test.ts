import { describe, expect, it } from 'vitest';
import { unexpandedPathProblem } from './unexpandedPath.js';

describe('a path that only a shell would have expanded', () => {
  it.each([
    ['~', '~'],
    ['~/letters', '~'],
    ['~me/letters', '~me'],
    ['$HOME', '$HOME'],
    ['$HOME/letters', '$HOME'],
    ['$' + '{HOME}/letters', '$' + '{HOME}'],
    ['/data/$USER/letters', '$USER'],
    ['%USERPROFILE%\\letters', '%USERPROFILE%'],
  ])('%s is told with what it has and the remedy', (path, part) => {
    expect(unexpandedPathProblem(path)).toBe(
      `has ${part}, which only a shell replaces: write the whole path, or begin it with ./ if that is its name`,
    );
  });

  it.each([
    '.',
    '.dlq',
    '/var/lib/~letters',
    'a~b',
    'letters$',
    'cost$5/x',
    '100%',
    './~/x',
    './$HOME',
    '../$HOME',
    'C:\\letters',
  ])('%s is one as any other', (path) => expect(unexpandedPathProblem(path)).toBeUndefined());
});
