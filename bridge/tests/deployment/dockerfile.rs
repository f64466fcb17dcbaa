//! Reads `bridge/Dockerfile`.

use crate::text;

/// An instruction without its flags: `COPY --from=build /a /b` has the name `COPY`, the flag `from=build` and the
/// arguments `/a /b`.
#[derive(Debug, Clone)]
pub(crate) struct Instruction {
    pub(crate) name: String,
    pub(crate) flags: Vec<String>,
    pub(crate) arguments: String,
}

impl Instruction {
    fn parse(line: &str) -> Self {
        let mut words = line.split_whitespace().peekable();
        let name = words.next().unwrap().to_owned();
        let mut flags = Vec::new();
        while let Some(flag) = words.next_if(|word| word.starts_with("--")) {
            flags.push(flag.trim_start_matches("--").to_owned());
        }
        Self { name, flags, arguments: words.collect::<Vec<_>>().join(" ") }
    }

    pub(crate) fn words(&self) -> Vec<&str> {
        self.arguments.split(' ').collect()
    }

    /// Returns the words of a JSON array, the form in which no shell runs.
    pub(crate) fn json(&self) -> Vec<String> {
        serde_json::from_str(&self.arguments).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}

/// Returns the instructions of each stage.
pub(crate) fn stages() -> Vec<Vec<Instruction>> {
    let text = text("bridge/Dockerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let mut stages = Vec::<Vec<Instruction>>::new();
    for instruction in lines.map(Instruction::parse) {
        if instruction.name == "FROM" {
            stages.push(Vec::new());
        }
        stages.last_mut().expect("FROM is first").push(instruction);
    }
    stages
}

/// Returns the last stage, which is the image.
pub(crate) fn image() -> Vec<Instruction> {
    stages().pop().unwrap()
}

/// Returns the only instruction of this name in the image.
pub(crate) fn only(name: &str) -> Instruction {
    let found: Vec<_> = image().into_iter().filter(|instruction| instruction.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0].clone()
}
