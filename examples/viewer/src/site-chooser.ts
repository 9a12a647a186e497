/** Lets the user choose the site for records of other repositories. */
import { element } from '../../page/element.ts';
import { SITES, chooseSite, chosenSite } from './outside.ts';

const LABELS = { 'bsky.app': 'bsky.app', none: 'nowhere', 'pdsls.dev': 'pdsls.dev' } as const;

/** `onChoice` is called when the user has chosen another site. */
export const siteChooser = (onChoice: () => void): HTMLElement => {
  const options = SITES.map((site) =>
    element('option', { value: site, selected: site === chosenSite() }, LABELS[site]),
  );
  const onchange = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    chooseSite(SITES.find((site) => site === value) ?? 'none');
    onChoice();
  };
  return element(
    'label',
    { class: 'site quiet' },
    element('span', { class: 'site-words' }, 'Other accounts open on'),
    element('select', { onchange }, ...options),
  );
};
