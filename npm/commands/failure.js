// The errors of the commands that are written in JavaScript. They look like those of the Rust program.

/** An error that the user can mend; its text says how. It ends the program with exit code 2. */
export class Failure extends Error {}
