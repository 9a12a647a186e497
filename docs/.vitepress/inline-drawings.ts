import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

/**
 * Puts an SVG of a `drawings` folder into the page. The drawing then has the colors of the page, which the reader can
 * switch. In a clone and on GitHub the same image is a file with colors of its own.
 */
export const inlineDrawings = (markdown: MarkdownRenderer): void => {
  const { image } = markdown.renderer.rules;
  markdown.renderer.rules.image = (tokens, index, options, env, self) => {
    const source = tokens[index]!.attrGet('src') ?? '';
    if (!/(^|\/)drawings\/[\w-]+\.svg$/.test(source)) {
      return image!(tokens, index, options, env, self);
    }
    const { path } = env as { path: string };
    // The colors are in the style sheet of the theme.
    const drawing = readFileSync(join(dirname(path), source), 'utf8').replace(/<style>[\s\S]*?<\/style>/, '');
    // A reader without a mouse scrolls it with the keyboard.
    // Vue reads two braces as an expression, and a line break inside of a paragraph as the end of the HTML.
    return `<span v-pre class="drawing" tabindex="0">${drawing.replace(/\s*\n\s*/g, ' ').trim()}</span>`;
  };
};
