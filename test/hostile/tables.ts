/** The tables of docs/security.md, generated from the code and the suite. */
import type { AttackClass } from './attacks/attack.ts';
import type { AttackCost } from './attacks/run-attack.ts';
import type { FolderClass } from './folder-cases.ts';
import type { HostileClass } from './hostile-case.ts';
import type { Limit } from './limits.ts';

const row = (...cells: readonly (number | string)[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

export const limitsTable = (limits: readonly Limit[]): string =>
  table(
    ['limit', 'value', 'of', 'option'],
    limits.map(({ name, value, what, option }) => row(`\`${name}\``, value.toLocaleString('en'), what, option)),
  );

/** The table of cases. Each runs with three chunkings over the store in memory, and over SQLite. */
export const importTable = (classes: readonly HostileClass[]): string =>
  table(
    ['class', 'tried', 'refused', 'accepted', 'of these, with a fault reported'],
    classes.map(({ name, cases }) => {
      const taken = cases.filter(({ expect }) => expect === 'accepted' || expect === 'reported').length;
      return row(
        name,
        cases.length,
        cases.length - taken,
        taken,
        cases.filter(({ expect }) => expect === 'reported').length,
      );
    }),
  );

export const folderTable = (classes: readonly FolderClass[]): string =>
  table(
    ['class', 'tried', 'refused', 'opened, damage reported', 'opened without a fault'],
    classes.map(({ name, cases }) => {
      const refused = cases.filter(({ open }) => open !== undefined).length;
      const sound = cases.filter(({ open, sound: isSound }) => open === undefined && isSound === true).length;
      return row(name, cases.length, refused, cases.length - refused - sound, sound);
    }),
  );

/** The costs of the attacks by `class: name`, with a dash for those that did not run. */
export const attackTable = (classes: readonly AttackClass[], costs: ReadonlyMap<string, AttackCost>): string =>
  table(
    ['class', 'attack', 'result', 'processor ms', 'peak MB'],
    classes.flatMap(({ name: className, attacks }) =>
      attacks.map(({ name, end }) => {
        const cost = costs.get(`${className}: ${name}`);
        return row(className, name, `\`${end}\``, cost?.ms ?? '-', cost?.peakMb ?? '-');
      }),
    ),
  );

/** Returns the rows of such a table without their costs. */
export const withoutCosts = (text: string): string => text.replace(/ \| [\d-]+ \| [\d-]+ \|$/gm, ' |');

/** Replaces the text between two marks of a page. */
export const withTable = (page: string, name: string, content: string): string => {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`the page has no place for the table; name=${name}`);
  }
  return `${page.slice(0, from + start.length)}\n\n${content}\n\n${page.slice(to)}`;
};
