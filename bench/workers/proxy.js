// The forwarding that all JavaScript Workers share.

// Forwards the request unchanged to the same path and query of the origin.
export function forward(request, env) {
  const { pathname, search } = new URL(request.url);
  return fetch(env.ORIGIN + pathname + search, request);
}

// Returns the origin's response with the two RateLimit headers.
export function withLimits(response, { quota, window, remaining, reset }) {
  const limited = new Response(response.body, response);
  limited.headers.append("RateLimit-Policy", `"bench";q=${quota};w=${window}`);
  limited.headers.append("RateLimit", `"bench";r=${remaining};t=${reset}`);
  return limited;
}
