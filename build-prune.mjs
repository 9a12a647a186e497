// Removes what no entry point of the package reaches: modules that hold only types, and declarations of inner modules.
import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The relative paths of a module or a declaration: imports, exports, imported types, references and URLs. */
const PATHS = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*|<reference path=)['"](\.[^'"]+)['"]/g;

/** A declaration imports `./a.js`, which is `a.d.ts` to the compiler. */
const fileOf = (path, from) => (from.endsWith('.d.ts') ? path.replace(/(?<!\.d)\.[jt]s$/, '.d.ts') : path);

/** Every file that is reached from the files given, themselves included. */
const reachedFrom = (entries) => {
  const reached = new Set();
  const open = [...entries];
  while (open.length > 0) {
    const file = open.pop();
    if (reached.has(file) || !existsSync(file)) {
      continue;
    }
    reached.add(file);
    if (/\.(js|ts)$/.test(file)) {
      for (const [, path] of readFileSync(file, 'utf8').matchAll(PATHS)) {
        open.push(resolve(dirname(file), fileOf(path, file)));
      }
    }
  }
  return reached;
};

/** The targets of `exports` and `bin` below `dist/`, as paths below `out`. */
const targetsOf = ({ exports, bin }, out) => {
  const flat = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(flat));
  return [...flat(exports), ...flat(bin)]
    .filter((path) => path.startsWith('./dist/'))
    .map((path) => join(out, path.slice('./dist/'.length)));
};

const removeEmptyFolders = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      removeEmptyFolders(join(folder, entry.name));
    }
  }
  if (readdirSync(folder).length === 0) {
    rmdirSync(folder);
  }
};

/**
 * @param out The built package, in place of `dist/`.
 * @param manifest The content of package.json.
 */
export const removeUnreached = (out, manifest) => {
  const reached = reachedFrom(targetsOf(manifest, resolve(out)));
  for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
    const file = join(resolve(entry.parentPath), entry.name);
    if (entry.isFile() && /\.(js|ts)$/.test(entry.name) && !reached.has(file)) {
      rmSync(file);
    }
  }
  removeEmptyFolders(out);
};
