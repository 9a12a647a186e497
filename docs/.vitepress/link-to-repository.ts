import { posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

export const REPOSITORY = 'https://github.com/pdsdb/pdsdb';

/**
 * Turns a relative link that leaves `docs/` into a link to the repository. The same link works in a clone and on GitHub.
 */
export const linkToRepository = (markdown: MarkdownRenderer): void => {
  markdown.core.ruler.push('link-to-repository', ({ tokens, env }) => {
    const { relativePath } = env as { relativePath: string };
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href?.startsWith('.')) {
        const path = posix.join('docs', posix.dirname(relativePath), href);
        if (!path.startsWith('docs/')) {
          token.attrSet('href', `${REPOSITORY}/blob/main/${path}`);
        }
      }
    }
  });
};
