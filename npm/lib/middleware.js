// A middleware for Hono.

/** Makes a middleware that limits the requests for which `identify` returns a check. */
export function middleware(gate, { identify, settle }) {
  return async (context, next) => {
    const check = await identify(context);
    if (!check) return next();
    let isAllowed = false;
    const respond = async (verdict) => {
      isAllowed = true;
      context.set("verdict", verdict);
      await next();
      return context.res;
    };
    const { signal } = context.req.raw;
    const response = await gate.protect(check, respond, { settle: settle && (() => settle(context)), signal });
    // Hono adds to a refusal what others have set before, for example the headers of CORS.
    if (!isAllowed) return response;
    // It would add the former headers once more to a copy of its own response.
    context.res = undefined;
    context.res = response;
  };
}
