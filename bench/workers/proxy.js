// The proxying that all the JavaScript Workers share.

// Sends the request on as it came, to the same path and query of the origin.
export function forward(request, env) {
  const { pathname, search } = new URL(request.url);
  return fetch(env.ORIGIN + pathname + search, request);
}

// The origin's answer with the limiter's two headers added.
export function withLimits(response, { quota, window, remaining, reset }) {
  const answer = new Response(response.body, response);
  answer.headers.append("RateLimit-Policy", `"bench";q=${quota};w=${window}`);
  answer.headers.append("RateLimit", `"bench";r=${remaining};t=${reset}`);
  return answer;
}
