/** axe-core, which finds what keeps people from using a page: `npm ci --prefix test/browser` installs it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';

const PATH = join(import.meta.dirname, 'node_modules', 'axe-core', 'axe.min.js');

const isRequired = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('axe');

/** Whether such tests are passed over: it is not installed, and nobody has said that it must be (PDSDB_REQUIRE). */
export const isAxeMissing: boolean = !existsSync(PATH) && !isRequired;

interface Axe {
  run(options: object): Promise<{
    violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[];
  }>;
}

/**
 * What is wrong with a page, a line for each rule and element. Best practices are rules, too.
 * @param rules The rules to check; all of them if it is left out.
 */
export const violationsOf = async (page: Page, rules?: readonly string[]): Promise<string[]> => {
  // By the protocol of the browser, which the policy of the page does not reach.
  await page.evaluate(readFileSync(PATH, 'utf8'));
  return page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run({ resultTypes: ['violations'], ...(runOnly === null ? {} : { runOnly }) });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
    );
  }, rules ?? null);
};
