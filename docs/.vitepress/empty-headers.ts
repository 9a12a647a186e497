import type { MarkdownRenderer } from 'vitepress';

/** Makes a data cell of a header cell without text. A screen reader reads an empty header before each cell. */
export const emptyHeaders = (markdown: MarkdownRenderer): void => {
  markdown.core.ruler.push('empty-headers', ({ tokens }) => {
    tokens.forEach((token, index) => {
      if (token.type === 'th_open' && tokens[index + 1]!.content === '') {
        token.tag = 'td';
        tokens[index + 2]!.tag = 'td';
      }
    });
  });
};
