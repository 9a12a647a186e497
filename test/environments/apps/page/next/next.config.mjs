import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The environment sets the output folder, because the two bundlers of Next.js must not share one. */
export default {
  distDir: process.env.APP_DIST,
  output: 'export',
  outputFileTracingRoot: root,
  turbopack: { root },
  // Half of the time of a build. The test of webpack itself minimizes.
  webpack: (config) => ({ ...config, optimization: { ...config.optimization, minimize: false } }),
};
