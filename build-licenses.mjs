// Writes the licences of the packages that the build puts into its own files.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The package that a file is in. */
const packageOf = (file) => file.match(/^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1];

const licenceOf = (folder) => {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8').trim();
};

/**
 * @param out The built package. The texts are in `LICENSES.txt`.
 * @param modules The folder node_modules.
 * @param files The paths of the files in the bundles.
 */
export const writeLicenses = (out, modules, files) => {
  const names = [...new Set([...files].map(packageOf))].filter((name) => name !== undefined).sort();
  const texts = names.map((name) => {
    const { version, license } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
    return `${name} ${version} (${license})\n\n${licenceOf(join(modules, name)) ?? `Licence: ${license}`}`;
  });
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  writeFileSync(join(out, 'LICENSES.txt'), `${texts.join(rule)}\n`);
};
