import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The environment says where to build to: the two bundlers of Next.js must not share a folder. */
export default {
  distDir: process.env.APP_DIST,
  output: 'export',
  outputFileTracingRoot: root,
  turbopack: { root },
};
