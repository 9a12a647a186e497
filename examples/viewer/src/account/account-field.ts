/** The field that opens an account of the network, and the servers that are asked for it. */
import { element } from '../../../page/element.ts';
import { chooseHosts, chosenHosts, isHostAddress } from './hosts.ts';

const LABEL = 'Handle, DID or at:// link';

export interface AccountFieldOptions {
  readonly onOpen: (text: string) => void;
  /** The text at first. */
  readonly text?: string | undefined;
  /** Whether its label is not visible, and is its placeholder. */
  readonly compact?: boolean | undefined;
}

const textInput = (id: string, attributes: Readonly<Record<string, string | boolean>>): HTMLInputElement =>
  element('input', {
    type: 'text',
    id,
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    ...attributes,
  });

/** The field with its button. */
export const accountField = (
  id: string,
  { onOpen, text = '', compact = false }: AccountFieldOptions,
): HTMLFormElement => {
  const input = textInput(id, { placeholder: compact ? LABEL : 'alice.bsky.social', required: true, value: text });
  const onsubmit = (event: Event): void => {
    event.preventDefault();
    onOpen(input.value);
    if (compact) {
      input.value = '';
    }
  };
  return element(
    'form',
    { class: 'account', 'aria-label': 'Open an account', onsubmit },
    element('label', { for: id, class: compact ? 'visually-hidden' : '' }, LABEL),
    element(
      'div',
      { class: 'inline' },
      input,
      element('button', { type: 'submit', class: compact ? '' : 'primary' }, 'Open'),
    ),
  );
};

/** The fields of the servers that are asked. They change the address of the page. */
export const advancedHosts = (): HTMLElement => {
  const hosts = chosenHosts();
  const fault = element('p', { id: 'hosts-fault', class: 'danger', role: 'alert' });
  const hostInput = (id: string, value: string, placeholder: string): HTMLInputElement =>
    textInput(id, { value, placeholder, inputmode: 'url', 'aria-describedby': 'hosts-fault' });
  const pds = hostInput('pds-host', hosts.pds, 'The one in the DID document');
  const plc = hostInput('plc-host', hosts.plc, 'https://plc.directory');
  const onchange = (): void => {
    const wrong = [pds, plc].filter((input) => !isHostAddress(input.value.trim()));
    for (const input of [pds, plc]) {
      input.setAttribute('aria-invalid', String(wrong.includes(input)));
    }
    fault.textContent = wrong.length === 0 ? '' : 'That is not the address of a server: use https://…';
    if (wrong.length === 0) {
      chooseHosts({ pds: pds.value.trim(), plc: plc.value.trim() });
    }
  };
  return element(
    'details',
    { class: 'advanced', open: hosts.pds !== '' || hosts.plc !== '', onchange },
    element('summary', {}, 'Advanced'),
    element('label', { for: 'pds-host' }, 'Host of the account (PDS)'),
    pds,
    element('label', { for: 'plc-host' }, 'PLC directory'),
    plc,
    fault,
    element('p', { class: 'quiet' }, 'The page asks these servers for as long as its address names them.'),
  );
};
