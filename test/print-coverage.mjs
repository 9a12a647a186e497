/**
 * Prints the lines of `core` that the fast tests reach, one line per folder. `npm test -- --coverage` measures them,
 * and takes half a minute longer than `npm test`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const path = join(import.meta.dirname, '..', 'out', 'coverage', 'coverage-summary.json');
const folders = new Map();
for (const [file, { lines }] of Object.entries(JSON.parse(readFileSync(path, 'utf8')))) {
  const folder = /\/src\/(core(?:\/[a-z]+(?=\/))?)/.exec(file)?.[1];
  if (folder !== undefined) {
    const { covered, total } = folders.get(folder) ?? { covered: 0, total: 0 };
    folders.set(folder, { covered: covered + lines.covered, total: total + lines.total });
  }
}
for (const [folder, { covered, total }] of [...folders].sort()) {
  const percent = ((100 * covered) / total).toFixed(1);
  console.log(`coverage ${folder.padEnd(14)} ${percent.padStart(5)} % of ${total} lines`);
}
