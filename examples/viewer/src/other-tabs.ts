/** What the tabs of this page tell each other: which repositories come and go. */

export type News =
  /** The repositories that are kept are others now. */
  | { readonly kind: 'changed' }
  /** A repository is about to be deleted, which nobody may have open then. */
  | { readonly kind: 'deleting'; readonly did: string };

export interface OtherTabs {
  tell(news: News): void;
}

/** Joins the tabs. `onNews` hears what another one tells. */
export const joinTabs = (onNews: (news: News) => void): OtherTabs => {
  const channel = new BroadcastChannel('viewer');
  channel.onmessage = ({ data }: MessageEvent<News>) => onNews(data);
  return { tell: (news) => channel.postMessage(news) };
};
