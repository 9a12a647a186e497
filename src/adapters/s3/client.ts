/** Sends signed requests to an S3 server, and reads the responses within limits of time and size. */
import { AwsV4Signer } from 'aws4fetch';
import { concatBytes } from '../../core/data/bytes.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { isRepoError } from '../../core/errors.ts';
import { Deadline } from './deadline.ts';
import { connectionFailure, invalidFailure, responseFailure, timeoutFailure, truncatedFailure } from './failure.ts';
import type { S3Place } from './options.ts';
import { keyPath } from './options.ts';
import { withRetries } from './retry.ts';
import type { XmlElement } from './xml.ts';
import { MAX_XML_SIZE, childText, parseXml } from './xml.ts';

/** The SHA-256 of no bytes, in hexadecimal. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export interface S3Request {
  readonly method: 'DELETE' | 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** The key of an object. Absent for a request to the bucket. */
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Bytes | undefined;
  /** The SHA-256 of the body in hexadecimal. It is signed, and the server refuses other bytes. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Completes the sentence "… failed". */
  readonly doing: string;
}

export interface S3Response {
  readonly headers: Headers;
  /** The root element of the body, or `undefined` if the body is empty. */
  readonly xml: XmlElement | undefined;
}

export class S3Client {
  readonly #place: S3Place;
  /** Keys that are derived from the secret key, one per day. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  constructor(place: S3Place) {
    this.#place = place;
  }

  get place(): S3Place {
    return this.#place;
  }

  /**
   * Sends a request and reads its response. Repeats it after a transient failure, also if the response was lost: every
   * request of this library may be applied twice.
   * @throws {RepoError} an `S3Failure`; the reason of the signal.
   */
  send(request: S3Request, retries: number = this.#place.retries): Promise<S3Response> {
    return withRetries(retries, request.signal, () =>
      this.#exchange(request, async (response, deadline) => {
        const { headers } = response;
        const text = await this.#readText(request, response, deadline);
        const xml = text === '' ? undefined : parsed(request.doing, text);
        // A server that has begun the response cannot change its status.
        if (xml?.name === 'Error') {
          throw responseFailure(request.doing, response.status, childText(xml, 'Code'));
        }
        return { headers, xml };
      }),
    );
  }

  /**
   * Yields the bytes of a response of a known length. Sends the request once.
   * @param check Checks the response before its bytes are read.
   * @throws {RepoError} an `S3Failure`, also if there are fewer or more bytes.
   */
  async *chunks(
    request: S3Request,
    length: number,
    check: (response: Response) => void,
  ): AsyncGenerator<Bytes, void, undefined> {
    const deadline = new Deadline(this.#place.timeoutMs, request.signal);
    try {
      const response = await this.#begin(request, deadline);
      check(response);
      const reader = response.body?.getReader();
      let size = 0;
      for (;;) {
        const { done, value } =
          reader === undefined ? { done: true, value: undefined } : await deadline.step(reader.read());
        if (done || value === undefined) {
          break;
        }
        size += value.length;
        if (size > length) {
          throw invalidFailure(request.doing, `the response has more than ${length} bytes`);
        }
        yield value;
      }
      if (size < length) {
        throw truncatedFailure(request.doing);
      }
    } catch (error) {
      throw this.#failureOf(request, deadline, error);
    } finally {
      deadline.end();
    }
  }

  async #exchange<T>(request: S3Request, take: (response: Response, deadline: Deadline) => Promise<T>): Promise<T> {
    const deadline = new Deadline(this.#place.timeoutMs, request.signal);
    try {
      return await take(await this.#begin(request, deadline), deadline);
    } catch (error) {
      throw this.#failureOf(request, deadline, error);
    } finally {
      deadline.end();
    }
  }

  /** Sends a request, and waits for the beginning of a response that is a success. */
  async #begin(request: S3Request, deadline: Deadline): Promise<Response> {
    const { method, body, doing } = request;
    const { url, headers } = await this.#sign(request);
    const response = await deadline.step(
      this.#place.fetch(url, { method, headers, body: body ?? null, signal: deadline.signal, redirect: 'manual' }),
    );
    if (response.ok) {
      return response;
    }
    const text = await this.#readText(request, response, deadline);
    throw responseFailure(doing, response.status, codeOf(text));
  }

  async #sign(request: S3Request): Promise<{ readonly url: string; readonly headers: Headers }> {
    const { url: bucketUrl, region, accessKeyId, secretAccessKey, sessionToken } = this.#place;
    const { method, key, query = {}, sha256 = EMPTY_SHA256 } = request;
    const parameters = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const search = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
    const url = `${bucketUrl}${key === undefined ? '' : `/${keyPath(key)}`}${search}`;
    const { headers } = await new AwsV4Signer({
      method,
      url,
      headers: { ...request.headers, 'x-amz-content-sha256': sha256 },
      service: 's3',
      region,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      cache: this.#signingKeys,
    }).sign();
    return { url, headers };
  }

  async #readText(request: S3Request, response: Response, deadline: Deadline): Promise<string> {
    const reader = response.body?.getReader();
    if (reader === undefined) {
      return '';
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const { done, value } = await deadline.step(reader.read());
      if (done) {
        return new TextDecoder().decode(concatBytes(chunks)).trim();
      }
      size += value.length;
      if (size > MAX_XML_SIZE) {
        throw invalidFailure(request.doing, `the response has more than ${MAX_XML_SIZE} bytes`);
      }
      chunks.push(value);
    }
  }

  /** Returns the error of a request. An abort of the caller throws the caller's reason. */
  #failureOf({ doing, signal }: S3Request, deadline: Deadline, error: unknown): unknown {
    if (signal?.aborted === true) {
      return signal.reason;
    }
    if (isRepoError(error)) {
      return error;
    }
    return deadline.isLate ? timeoutFailure(doing, this.#place.timeoutMs) : connectionFailure(doing, error);
  }
}

/** Parses a response. A truncated one may be complete the next time. */
const parsed = (doing: string, text: string): XmlElement => {
  try {
    return parseXml(text);
  } catch (error) {
    throw isRepoError(error) ? invalidFailure(doing, error.message, error.code === 'Malformed') : error;
  }
};

/** Returns the code of an error response, or `undefined` if it is another text, such as the page of a proxy. */
const codeOf = (text: string): string | undefined => {
  try {
    const xml = parseXml(text);
    return xml.name === 'Error' ? childText(xml, 'Code') : undefined;
  } catch {
    // The status says enough.
    return undefined;
  }
};
