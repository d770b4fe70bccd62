import type { HttpResponse } from '../../../net/http-request.js';
import { CORS_HEADERS } from '../cors.js';

/** The answer to a request for one of the pages. */
export function pageAnswer(_name: string, _method: string): HttpResponse {
  return { status: 404, headers: CORS_HEADERS };
}
