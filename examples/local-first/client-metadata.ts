/** The metadata that makes a published page an OAuth client. https://atproto.com/specs/oauth#clients */
import type { Plugin } from 'vite';
import { SCOPE } from './src/oauth-client.ts';

/**
 * Writes `oauth-client-metadata.json` beside the page.
 * @param url The address of the published page, with a slash at its end. Without it, nothing is written.
 */
export const clientMetadata = (url: string | undefined): Plugin => ({
  name: 'client-metadata',
  apply: 'build',
  generateBundle() {
    if (url === undefined) {
      return;
    }
    const fileName = 'oauth-client-metadata.json';
    const metadata = {
      client_id: new URL(fileName, url).href,
      client_name: 'Notes',
      client_uri: url,
      redirect_uris: [url],
      scope: SCOPE,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'web',
      dpop_bound_access_tokens: true,
    };
    this.emitFile({ type: 'asset', fileName, source: JSON.stringify(metadata, undefined, 2) });
  },
});
