/** Terms that the standard ones have replaced, in comments, names, messages and titles. */
import { lineCount } from './sources.ts';

/** What to write instead, and the pattern of the old term. Each pattern matches the old sense only. */
const OLD_TERMS: readonly (readonly [standard: string, old: RegExp])[] = [
  ['checkpoint the WAL', /\bfold(s|ed|ing)?\b.{0,20}\b(log|WAL)\b|\b(log|WAL)\b.{0,20}\bfold(s|ed|ing)\b/i],
  ['leadership, failover, stale lock', /\bthe lead\b(?! (author|time))|\bdead (owner|lock)\b|\bdeadOwner/],
  ['write coalescing, buffered-file', /\bgathered([- ]file| writes)\b|GatheredFile/i],
  ['lazy-file', /\blate-file\b|LateFile/i],
  ['yield to the event loop', /\bbreath(e|es|ing)?\b|holdBreath/i],
  ['invalid rows', /\bjunk\b/i],
  ['preload', /\bblocks at hand\b/],
  ['timeout', /\bpatience\b/i],
  ['writeAll', /\bwhole-write\b|\bwriteWhole\b/i],
  ['arena', /\bheld (memory|blocks)\b|\bheld(Memory|Blocks)\b/i],
  ['orphaned files, temporary files, invalid entries', /\bstrays?\b|\bleftovers?\b/i],
  ['emit, notify', /\btell(s|ing)? (the |its |all |every )?(listener|owner|tab|page|client)|listeners?\.tell\b/],
  ['argument checks', /\bgiven-cid\b/],
  ['returns, resolves to', /\banswers?\b|\banswered\b/i],
  ['is not a valid …', /\b(is|are|was|were) none\b|\bthat (is|are) no [a-z]+\b/],
  ['is stored, in storage order', /\b(it|they|file|files|bytes|blocks|folder) lies?\b|\bwhere (it|they) lies?\b/],
  ['missing, present', /\bwhat is (gone|there)\b|\b(is|are|was|were) gone\b/],
  ['one … per …', /\ba sentence a fault\b|\bone (entry|request|file|commit|line) a [a-z]+\b/],
  ['flush, insert into the cache', /\.(settle|learn)\(|\bunsettled\b/],
  ['the caller, a reader', /\bwhoever\b/i],
  ['continues', /\b(go|goes|went|going) on\b/i],
  ['is stored, is between', /\blies\b/i],
  ['truncated, interrupted', /\bcut (off|short)\b/i],
  ['accepts, imports', /\b(takes?|taking|taken|took) in\b/i],
  ['again', /\banew\b/i],
  ['entry point', /\bdoors?\b/i],
  ['forms a cycle', /\bin a circle\b/i],
  ['identical', /\bone and the same\b/i],
  ['bypasses the WAL', /\bpast the (log|WAL)\b/i],
  ['the result of', /\bwhat (becomes|became) of\b/i],
  ['the rest, the fault', /\bwhat is (left|wrong|right|kept)\b/i],
  ['no longer', /\bany more\b/i],
  ['forever, endlessly', /\bfor ever\b/i],
  ['is available', /\b(can|could|may) be had\b/i],
];

/** Returns `path:line: old term (standard: …)` for each old term of a text. */
export const oldTermsIn = (path: string, text: string): string[] =>
  OLD_TERMS.flatMap(([standard, old]) => {
    const pattern = new RegExp(old.source, `${old.flags}g`);
    return [...text.matchAll(pattern)].map(
      ({ 0: found, index }) => `${path}:${lineCount(text.slice(0, index + 1))}: ${found} (standard: ${standard})`,
    );
  });
