/** Messages between the tabs of this page about imported and deleted repositories. */

export type News =
  /** The list of stored repositories has changed. */
  | { readonly kind: 'changed' }
  /** A repository will be deleted. The other tabs must close it. */
  | { readonly kind: 'deleting'; readonly did: string };

export interface OtherTabs {
  tell(news: News): void;
}

/** Joins the channel. `onNews` gets the messages of other tabs. */
export const joinTabs = (onNews: (news: News) => void): OtherTabs => {
  const channel = new BroadcastChannel('viewer');
  channel.onmessage = ({ data }: MessageEvent<News>) => onNews(data);
  return { tell: (news) => channel.postMessage(news) };
};
