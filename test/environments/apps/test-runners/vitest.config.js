export default { test: { globals: true, include: ['*.test.js'], testTimeout: 60_000 } };
