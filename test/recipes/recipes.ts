/** The recipes of docs/records.md, and the packages that they use. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, textOf } from '../house/sources.ts';

/** The folder with the packages in its node_modules. */
export const RECIPES: string = join(root, 'test', 'recipes');

const isRequired = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('recipes');

/** Whether such tests are skipped: the packages are missing, and PDSDB_REQUIRE does not contain `recipes`. */
export const isRecipesMissing: boolean =
  !existsSync(join(RECIPES, 'node_modules', '.package-lock.json')) && !isRequired;

/** Returns the code blocks of the page in a language that import a package. */
export const recipesWith = (language: string, imported: string): string[] =>
  [...textOf('docs/records.md').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
    .map(([, code]) => code!)
    .filter((code) => code.includes(`'${imported}`));
