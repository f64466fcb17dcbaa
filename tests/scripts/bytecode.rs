//! A parser of Lua 5.1 bytecode, enough to find the globals that a script reads and writes.
//! Source: Kein-Hong Man, "A No-Frills Introduction to Lua 5.1 VM Instructions", chapter 4.

use std::collections::BTreeSet;

/// The names used by a chunk and its functions.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) globals_read: BTreeSet<String>,
    pub(crate) globals_written: BTreeSet<String>,
    /// Every text constant: names of fields and methods, and literals.
    pub(crate) texts: BTreeSet<String>,
}

impl Chunk {
    /// Parses the output of `string.dump` from a 64-bit little-endian machine.
    pub(crate) fn read(dumped: &[u8]) -> Self {
        let (header, functions) = dumped.split_at(HEADER.len());
        assert_eq!(header, HEADER, "a chunk of Lua 5.1");
        let mut chunk = Chunk::default();
        let mut reader = Reader(functions);
        chunk.function(&mut reader);
        assert!(reader.0.is_empty(), "the chunk is read to its end");
        chunk
    }

    fn function(&mut self, reader: &mut Reader<'_>) {
        reader.text();
        // The lines of the definition; upvalues, parameters, varargs, stack.
        reader.bytes(4 + 4 + 4);
        let code: Vec<u32> = (0..reader.int()).map(|_| reader.int()).collect();
        let constants: Vec<String> = (0..reader.int()).map(|_| reader.constant()).collect();
        for instruction in code {
            let constant = || constants[(instruction >> 14) as usize].clone();
            match instruction & 0x3f {
                GETGLOBAL => drop(self.globals_read.insert(constant())),
                SETGLOBAL => drop(self.globals_written.insert(constant())),
                _ => {}
            }
        }
        self.texts.extend(constants);
        for _ in 0..reader.int() {
            self.function(reader);
        }
        // For debuggers: lines of instructions, scopes of locals, names of upvalues.
        let lines = reader.int() as usize;
        reader.bytes(4 * lines);
        for _ in 0..reader.int() {
            reader.text();
            reader.bytes(4 + 4);
        }
        for _ in 0..reader.int() {
            reader.text();
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn int(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes(4).try_into().unwrap())
    }

    fn text(&mut self) -> String {
        let length = u64::from_le_bytes(self.bytes(8).try_into().unwrap());
        let bytes = self.bytes(usize::try_from(length).unwrap());
        String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
    }

    /// Returns a text unchanged, anything else as an empty text.
    fn constant(&mut self) -> String {
        match self.bytes(1)[0] {
            NIL => String::new(),
            BOOLEAN => String::from_utf8_lossy(&self.bytes(1)[..0]).into_owned(),
            NUMBER => String::from_utf8_lossy(&self.bytes(8)[..0]).into_owned(),
            TEXT => self.text(),
            other => panic!("a constant of type {other}"),
        }
    }
}

/// Signature, version 5.1, official format, little-endian, sizes of int, `size_t`, instruction and number, floats.
const HEADER: [u8; 12] = [0x1b, b'L', b'u', b'a', 0x51, 0, 1, 4, 8, 4, 8, 0];

const GETGLOBAL: u32 = 5;
const SETGLOBAL: u32 = 7;

const NIL: u8 = 0;
const BOOLEAN: u8 = 1;
const NUMBER: u8 = 3;
const TEXT: u8 = 4;
