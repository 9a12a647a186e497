// The accounts and records of the bench: a quarter posts, three quarters likes.
export const POST = 'app.bsky.feed.post';
const LIKE = 'app.bsky.feed.like';
const createdAt = '2026-01-01T00:00:00.000Z';

export const didOf = (i) => `did:plc:${[...String(i).padStart(24, '0')].map((digit) => 'abcdefghij'[digit]).join('')}`;
export const rkeyOf = (i) => `3k${String(i).padStart(11, '0')}`;

export const recordOf = (account, i) =>
  i % 4 === 0
    ? { $type: POST, text: `Post ${i} of account ${account}, as long as most posts are.`, createdAt, langs: ['en'] }
    : {
        $type: LIKE,
        subject: {
          uri: `at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/${rkeyOf(i)}`,
          cid: 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a',
        },
        createdAt,
      };

export const createsOf = (account, count) =>
  Array.from({ length: count }, (_, i) => ({
    action: 'create',
    collection: i % 4 === 0 ? POST : LIKE,
    rkey: rkeyOf(i),
    value: recordOf(account, i),
  }));
