/** Finds import cycles. */
import type { SourceFile } from './sources.ts';

/** Returns each cycle once, as `a.ts -> b.ts -> a.ts`. Imports of types count. */
export const importCycles = (files: readonly SourceFile[]): string[] => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, from: readonly string[]): void => {
    if (from.includes(path)) {
      cycles.push([...from.slice(from.indexOf(path)), path].join(' -> '));
      return;
    }
    if (finished.has(path)) {
      return;
    }
    for (const next of byPath.get(path)?.imports ?? []) {
      visit(next, [...from, path]);
    }
    finished.add(path);
  };
  for (const path of byPath.keys()) {
    visit(path, []);
  }
  return cycles;
};
