/** Runs axe-core, which checks accessibility. `npm ci --prefix test/browser` installs it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';

const PATH = join(import.meta.dirname, 'node_modules', 'axe-core', 'axe.min.js');

const isRequired = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('axe');

/** Whether such tests are skipped: axe-core is not installed, and PDSDB_REQUIRE does not contain it. */
export const isAxeMissing: boolean = !existsSync(PATH) && !isRequired;

interface Axe {
  run(options: object): Promise<{
    violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[];
  }>;
}

/**
 * Returns the violations of a page, one line per rule and element. Best practices are included.
 * @param rules The rules to check. Default: all rules.
 */
export const violationsOf = async (page: Page, rules?: readonly string[]): Promise<string[]> => {
  if (!(await page.evaluate(() => 'axe' in globalThis))) {
    // Through the protocol of the browser, because the policy of the page does not apply there.
    await page.evaluate(readFileSync(PATH, 'utf8'));
  }
  return page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run({ resultTypes: ['violations'], ...(runOnly === null ? {} : { runOnly }) });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
    );
  }, rules ?? null);
};
