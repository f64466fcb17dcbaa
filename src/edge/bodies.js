// Bodies that are read on their way, on the routes that need it. All others stay inside the runtime.

// Enough for a text, and little for a thousand streams at once.
const PIECE = 16_384;

// Passes a body on and shows each piece to `see`. The next piece is read when the last one has been taken, so no more than
// one is in memory. Resolves to whether the body has come to its end. Each side learns when the other one has failed.
export const passBody = async (body, writable, see) => {
  const [reader, writer] = [body.getReader({ mode: "byob" }), writable.getWriter()];
  writer.closed.catch((error) => reader.cancel(error)).catch(() => {});
  let buffer = new ArrayBuffer(PIECE);
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) break;
      const taken = writer.write(value);
      see(value);
      await taken;
      buffer = value.buffer;
    }
    await writer.close();
    return true;
  } catch (error) {
    reader.cancel(error).catch(() => {});
    writer.abort(error).catch(() => {});
    return false;
  }
};

// Reads the body of a request. Returns its bytes; if there are more than `most`, a copy of the request that has all of them.
export const readBody = async (request, most) => {
  const reader = request.body.getReader();
  const pieces = [];
  for (let length = 0; length <= most;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(pieces).arrayBuffer());
    pieces.push(value);
    length += value.length;
  }
  const { readable, writable } = new IdentityTransformStream();
  const passOn = async () => {
    const writer = writable.getWriter();
    for (const piece of pieces.splice(0)) await writer.write(piece);
    writer.releaseLock();
    reader.releaseLock();
    await request.body.pipeTo(writable);
  };
  // If it fails, the origin sees a body that is cut, as it would without this.
  passOn().catch((error) => writable.abort(error).catch(() => {}));
  return withBody(request, readable);
};

// Copies a request whose body has been read.
export const withBody = (request, body) => new Request(request, { body });
