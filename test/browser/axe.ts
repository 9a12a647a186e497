/** Runs axe-core, which checks accessibility. `npm ci --prefix test/browser` installs it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';

const PATH = join(import.meta.dirname, 'node_modules', 'axe-core', 'axe.min.js');

const isRequired = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('axe');

/** Whether such tests are skipped: axe-core is not installed, and PDSDB_REQUIRE does not contain it. */
export const isAxeMissing: boolean = !existsSync(PATH) && !isRequired;

interface Axe {
  run(
    context: { include: readonly Element[] },
    options: object,
  ): Promise<{
    violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[];
  }>;
}

/**
 * Lists three of all texts that have the same contrast: the same font and color, and ancestors with the same
 * backgrounds. A positioned ancestor may cover other elements, so that each has its own texts. The check of one text
 * takes axe-core several milliseconds, and a page has up to 2,000 texts, most of them words of code samples.
 */
const listTexts = (): void => {
  const MOST_ALIKE = 3;
  const texts: Element[] = [];
  const numbers = new Map<Element, number>();
  const backdrops = new Map<Element, string>();
  const numberOf = (one: Element): number => {
    numbers.set(one, numbers.get(one) ?? numbers.size);
    return numbers.get(one)!;
  };
  const backdropOf = (one: Element | null): string => {
    if (one === null) {
      return '';
    }
    let backdrop = backdrops.get(one);
    if (backdrop === undefined) {
      const { backgroundColor, backgroundImage, opacity, position, float, filter, zIndex } = getComputedStyle(one);
      const isPlain = position === 'static' && float === 'none' && filter === 'none' && backgroundImage === 'none';
      const own = [backgroundColor, opacity, zIndex, isPlain ? '' : numberOf(one)].join();
      backdrop = `${backdropOf(one.parentElement)}/${own === 'rgba(0, 0, 0, 0),1,auto,' ? '' : own}`.replace(
        /\/+$/,
        '',
      );
      backdrops.set(one, backdrop);
    }
    return backdrop;
  };
  const alike = new Map<string, number>();
  for (const one of document.body.querySelectorAll('*')) {
    const hasText = [...one.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.nodeValue!.trim() !== '',
    );
    if ((hasText || one.matches('input, textarea, select')) && one.checkVisibility()) {
      const { color, fontSize, fontWeight, textShadow } = getComputedStyle(one);
      const look = [color, fontSize, fontWeight, textShadow, backdropOf(one)].join();
      const count = (alike.get(look) ?? 0) + 1;
      alike.set(look, count);
      if (count <= MOST_ALIKE) {
        texts.push(one);
      }
    }
  }
  Object.assign(globalThis, { texts });
};

/**
 * Returns the violations of a page, one line per rule and element. Best practices are included. Of texts that have the
 * same contrast, three are checked.
 * @param options.only `contrast`: checks only the contrast of texts. Default: all rules.
 * @param options.within Checks the other rules only in the element of this selector. Default: the whole page.
 */
export const violationsOf = async (
  page: Page,
  { only, within = ':root' }: { readonly only?: 'contrast'; readonly within?: string } = {},
): Promise<string[]> => {
  if (!(await page.evaluate(() => 'axe' in globalThis))) {
    // Through the protocol of the browser, because the policy of the page does not apply there.
    await page.evaluate(readFileSync(PATH, 'utf8'));
  }
  await page.evaluate(listTexts);
  const isContrast = only === 'contrast';
  return page.evaluate(
    async ({ isContrast, within }) => {
      const { axe, texts } = globalThis as unknown as { axe: Axe; texts: readonly Element[] };
      const run = async (include: readonly Element[], options: object): Promise<string[]> => {
        const { violations } = await axe.run({ include }, { resultTypes: ['violations'], ...options });
        return violations.flatMap(({ id, nodes }) =>
          nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
        );
      };
      const found = isContrast
        ? []
        : await run([document.querySelector(within)!], { rules: { 'color-contrast': { enabled: false } } });
      const contrast = texts.length === 0 ? [] : await run(texts, { runOnly: ['color-contrast'] });
      return [...found, ...contrast];
    },
    { isContrast, within },
  );
};
