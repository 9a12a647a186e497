import { listOperation } from '../contenders/list-collection.mjs';

export const { title, targets, contenders } = listOperation('app.bsky.feed.post', 'posts');
