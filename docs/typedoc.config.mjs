/** The pages below api/, from the docstrings of the entry points. */
const names = ['index', 'node', 'deno', 'browser', 'worker', 's3', 'sync', 'postgres', 'testing'];

export default {
  plugin: ['typedoc-plugin-markdown'],
  tsconfig: 'tsconfig.json',
  entryPoints: names.map((name) => `../src/${name}.ts`),
  out: 'api',
  readme: 'none',
  entryFileName: 'index',
  router: 'member',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useHTMLEncodedBrackets: true,
  parametersFormat: 'table',
  pageTitleTemplates: {
    index: 'API reference',
    module: ({ name }) => (name === 'index' ? 'pdsdb' : `pdsdb/${name}`),
  },
  excludeInternal: true,
  excludePrivate: true,
  basePath: '../src',
  disableGit: true,
  sourceLinkTemplate: 'https://github.com/pdsdb/pdsdb/blob/main/src/{path}#L{line}',
};
