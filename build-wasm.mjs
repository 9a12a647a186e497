// Compiles the AssemblyScript in `src/wasm/hash/assembly/` into a module that holds WebAssembly as text: it loads in
// every runtime and bundler without a file to find or leave to read one. The module is kept in the tree, so that `src/`
// runs as it is.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const source = 'src/wasm/hash/assembly/sha256.ts';
const root = new URL('.', import.meta.url);

/** What the module has to contain. */
export const compileSha256 = async () => {
  let wasm;
  const { error, stderr } = await asc.main(
    [
      source,
      '--outFile',
      'sha256.wasm',
      '--runtime',
      'stub',
      '-O3',
      '--converge',
      '--noAssert',
      '--enable',
      'simd',
      '--enable',
      'bulk-memory',
      '--baseDir',
      fileURLToPath(root),
    ],
    { writeFile: (name, contents) => name === 'sha256.wasm' && (wasm = contents) },
  );
  if (error !== null || wasm === undefined) {
    throw new Error(`${source} does not compile: ${stderr.toString()}`, { cause: error });
  }
  const text = Buffer.from(wasm).toString('base64');
  const lines = text.match(/.{1,120}/g).map((line) => `  '${line}'`);
  return [
    `/** What \`npm run build\` makes of \`assembly/sha256.ts\`: ${wasm.length} bytes of WebAssembly, in base64. */`,
    'export const SHA256_WASM: string =',
    `${lines.join(' +\n')};`,
    '',
  ].join('\n');
};

/**
 * Writes the module into the tree if it differs. Builds run beside tests that import the module, and
 * a file that is being written is empty for a moment.
 */
export const writeSha256 = async () => {
  const path = new URL('src/wasm/hash/sha256-wasm.ts', root);
  const text = await compileSha256();
  if (readFileSync(path, 'utf8') !== text) {
    writeFileSync(path, text);
  }
};
