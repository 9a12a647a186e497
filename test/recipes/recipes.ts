/** The recipes of docs/records.md, and the packages that they use. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { root, textOf } from '../house/sources.ts';

/** The folder whose node_modules have the packages. */
export const RECIPES: string = join(root, 'test', 'recipes');

export const hasRecipes: boolean = existsSync(join(RECIPES, 'node_modules', '.package-lock.json'));

export const describeRecipes: typeof describe.skip = describe.skipIf(!hasRecipes) as typeof describe.skip;

/** The code blocks of the page that are fenced as a language and import a package. */
export const recipesWith = (language: string, imported: string): string[] =>
  [...textOf('docs/records.md').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
    .map(([, code]) => code!)
    .filter((code) => code.includes(`'${imported}`));
