// Makes the declarations in `dist/` compile with `skipLibCheck: false`, a `lib` of ES2022 and DOM, and compilers from
// 5.4 on.
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/**
 * The symbol and the interface of `await using`, as the lib `esnext.disposable` declares them. If both exist,
 * TypeScript merges them.
 */
const DISPOSABLE = `interface SymbolConstructor {
  readonly asyncDispose: unique symbol;
}
interface AsyncDisposable {
  [Symbol.asyncDispose](): PromiseLike<void>;
}
`;

/** The folder of the declarations for compilers before 5.7, in which `Uint8Array` has no type parameter. */
const OLD = 'types-5.4';

const declarationsBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name));

/** Returns the path from one file to another, as an import writes it. */
const pathTo = (from, to) => {
  const path = relative(dirname(from), to).split(sep).join('/');
  return path.startsWith('.') ? path : `./${path}`;
};

const BUFFERS = /\b(Uint8Array|DataView)<(ArrayBuffer|ArrayBufferLike|SharedArrayBuffer|B|T[A-Za-z]*)>/g;

/**
 * @param out The built package.
 * @param modules The folder node_modules with multiformats.
 */
export const writeTypes = (out, modules) => {
  const disposable = join(out, 'disposable.d.ts');
  for (const path of declarationsBelow(out)) {
    const text = readFileSync(path, 'utf8');
    if (/\b(AsyncDisposable|asyncDispose)\b/.test(text)) {
      writeFileSync(path, `/// <reference path="${pathTo(path, disposable)}" />\n${text}`);
    }
  }
  writeFileSync(disposable, DISPOSABLE);

  const old = join(out, OLD);
  const foreign = join(old, 'multiformats');
  const ours = declarationsBelow(out);
  for (const path of ours) {
    const target = join(old, relative(out, path));
    mkdirSync(dirname(target), { recursive: true });
    const text = readFileSync(path, 'utf8').replace(/'multiformats\/([a-z0-9/]+)'/g, (_, name) => {
      const { exports } = JSON.parse(readFileSync(join(modules, 'multiformats', 'package.json'), 'utf8'));
      return `'${pathTo(target, join(foreign, relative('dist', exports[`./${name}`].types).replace(/\.d\.ts$/, '.js')))}'`;
    });
    writeFileSync(target, text.replace(BUFFERS, '$1'));
  }
  const copied = (source) => !/\.(map|js)$/.test(source);
  cpSync(join(modules, 'multiformats', 'dist', 'src'), join(foreign, 'src'), { recursive: true, filter: copied });
  cpSync(join(modules, 'multiformats', 'LICENSE'), join(foreign, 'LICENSE'));
  for (const path of declarationsBelow(foreign)) {
    writeFileSync(path, readFileSync(path, 'utf8').replace(BUFFERS, '$1'));
  }
};
