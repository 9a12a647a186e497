/** The recipes of docs/records.md, and the packages that they use. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, textOf } from '../house/sources.ts';

/** The folder whose node_modules have the packages. */
export const RECIPES: string = join(root, 'test', 'recipes');

const isRequired = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('recipes');

/** Whether such tests are passed over: the packages are missing, and PDSDB_REQUIRE does not name `recipes`. */
export const isRecipesMissing: boolean =
  !existsSync(join(RECIPES, 'node_modules', '.package-lock.json')) && !isRequired;

/** The code blocks of the page that are fenced as a language and import a package. */
export const recipesWith = (language: string, imported: string): string[] =>
  [...textOf('docs/records.md').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
    .map(([, code]) => code!)
    .filter((code) => code.includes(`'${imported}`));
