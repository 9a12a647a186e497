/**
 * The lines of the library that a fuzz run has reached: `NODE_V8_COVERAGE=out/cov node test/fuzz/fuzz.mjs --seconds
 * 60`, then `node test/fuzz/coverage.mjs out/cov`. With `--files`, for each file, with the least reached first.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { files: { type: 'boolean', default: false } },
});
const folder = positionals[0] ?? 'out/cov';
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Returns the numbers of one segment of a source map. */
const numbersOf = (segment) => {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const letter of segment) {
    const digit = BASE64.indexOf(letter);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit < 32) {
      numbers.push(value & 1 ? -(value >> 1) : value >> 1);
      [value, shift] = [0, 0];
    }
  }
  return numbers;
};

/** Returns every place of the bundle that comes from a line of a source: its offset, the source and the line. */
function* placesOf({ mappings }, lineLengths) {
  let [source, line, start] = [0, 0, 0];
  for (const [i, text] of mappings.split(';').entries()) {
    let column = 0;
    for (const segment of text.split(',').filter((one) => one !== '')) {
      const [columns, sources, lines] = numbersOf(segment);
      column += columns;
      if (sources !== undefined) {
        source += sources;
        line += lines;
        yield { offset: start + column, source, line };
      }
    }
    start += (lineLengths[i] ?? 0) + 1;
  }
}

/** Returns whether each offset of a script was run. Inner ranges override outer ones. */
const reachedOf = (functions, size) => {
  const reached = new Uint8Array(size);
  const ranges = functions
    .flatMap((one) => one.ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges) {
    reached.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  return reached;
};

/** Returns for each file its lines and whether they were reached. */
const files = new Map();
for (const name of readdirSync(folder).filter((one) => one.endsWith('.json'))) {
  const { result, 'source-map-cache': maps = {} } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  for (const { url, functions } of result.filter(
    (one) => one.url.endsWith('/fuzz-worker.mjs') && maps[one.url] !== undefined,
  )) {
    const { data, lineLengths } = maps[url];
    const reached = reachedOf(
      functions,
      lineLengths.reduce((sum, length) => sum + length + 1, 0),
    );
    for (const { offset, source, line } of placesOf(data, lineLengths)) {
      const path = /\/(src\/.*)$/.exec(data.sources[source])?.[1];
      if (path !== undefined) {
        const lines = files.get(path) ?? files.set(path, new Map()).get(path);
        lines.set(line, lines.get(line) === true || reached[offset] === 1);
      }
    }
  }
}

const row = (what, all) => {
  const lines = all.flatMap(([, of]) => [...of.values()]);
  const reached = lines.filter(Boolean).length;
  return {
    what,
    files: all.length,
    lines: lines.length,
    reached,
    percent: Math.round((1000 * reached) / lines.length) / 10,
  };
};
const all = [...files];
if (all.length === 0) {
  console.error(`no coverage of the fuzz worker in ${folder}`);
  process.exitCode = 1;
} else {
  const folders = [...new Set(all.map(([path]) => path.split('/').slice(0, -1).join('/')))].sort();
  const rows = values.files
    ? all.map((one) => row(one[0], [one])).sort((a, b) => a.percent - b.percent)
    : folders.map((of) =>
        row(
          of,
          all.filter(([path]) => path.slice(0, path.lastIndexOf('/')) === of),
        ),
      );
  console.table([...rows, row('all', all)]);
}
