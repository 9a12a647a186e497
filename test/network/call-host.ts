/** Calls of XRPC methods by the tests, without the library. */
export interface HostCall {
  readonly method: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly type?: string;
  readonly token?: string;
}

/** Returns the JSON of a method, or its bytes if it returns no JSON. */
export const callHost = async (url: string, call: HostCall): Promise<unknown> => {
  const { method, params = {}, body, type = 'application/json', token } = call;
  const response = await fetch(`${url}/xrpc/${method}?${new URLSearchParams(params)}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined
      ? {}
      : { body: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new Error(`${method}: ${response.status} ${await response.text()}`);
  }
  return response.headers.get('content-type')?.startsWith('application/json')
    ? response.json()
    : new Uint8Array(await response.arrayBuffer());
};
