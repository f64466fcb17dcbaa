// A Worker behind a service binding: passes each request to the demo origin, and says so in both directions.

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const onward = new Request(env.UPSTREAM + url.pathname + url.search, request);
    onward.headers.set("x-second-worker-url", request.url);
    const answer = await fetch(onward);
    const response = new Response(answer.body, answer);
    response.headers.set("x-second-worker", "yes");
    return response;
  },
};
