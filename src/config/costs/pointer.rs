//! JSON pointers (RFC 6901), and sets of them.

use std::fmt;

/// A JSON pointer: the way to one value of a document. Has 1 to [`MAX_STEPS`] steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    steps: Vec<Step>,
}

/// A step of a pointer: the key of an object's member, or the index of an array's item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    key: String,
    index: Option<u32>,
}

/// Distinct pointers into one document. Has at most [`MAX_POINTERS`], so that a set of them fits into a `u32`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pointers(Vec<Pointer>);

impl Pointer {
    /// Parses a pointer like `/usage/total_tokens`. In a step, `~1` is a slash and `~0` a tilde.
    ///
    /// # Errors
    /// Returns the problem.
    pub fn parse(text: &str) -> Result<Self, String> {
        let problem = |wanted: &str| {
            let shown: String = text.chars().take(80).collect();
            format!("expected a JSON pointer like \"/usage/total_tokens\"{wanted}, found {shown:?}")
        };
        if text.len() > MAX_LENGTH {
            return Err(problem(&format!(" of at most {MAX_LENGTH} bytes")));
        }
        let Some(rest) = text.strip_prefix('/') else { return Err(problem("")) };
        let steps: Option<Vec<Step>> = rest.split('/').map(step).collect();
        match steps {
            Some(steps) if steps.len() <= MAX_STEPS => Ok(Pointer { steps }),
            Some(_) => Err(problem(&format!(" of at most {MAX_STEPS} steps"))),
            None => Err(problem(" (\"~\" is written \"~0\")")),
        }
    }

    /// Returns the number of steps.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.steps.len()
    }

    /// Returns whether the step at `depth` is this key of an object.
    #[must_use]
    pub fn has_key(&self, depth: usize, key: &[u8]) -> bool {
        self.steps.get(depth).is_some_and(|step| step.key.as_bytes() == key)
    }

    /// Returns whether the step at `depth` is this index of an array.
    #[must_use]
    pub fn has_index(&self, depth: usize, index: u32) -> bool {
        self.steps.get(depth).is_some_and(|step| step.index == Some(index))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| write!(f, "/{}", step.key.replace('~', "~0").replace('/', "~1")))
    }
}

fn step(text: &str) -> Option<Step> {
    let mut key = String::new();
    let mut parts = text.split('~');
    key.push_str(parts.next()?);
    for part in parts {
        let (escaped, rest) = match part.as_bytes().first()? {
            b'0' => ('~', part.strip_prefix('0')?),
            b'1' => ('/', part.strip_prefix('1')?),
            _ => return None,
        };
        key.push(escaped);
        key.push_str(rest);
    }
    let is_index = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    let index = is_index.then(|| key.parse().ok()).flatten();
    Some(Step { key, index })
}

impl Pointers {
    /// The empty set.
    pub const NONE: Pointers = Pointers(Vec::new());

    /// Adds a pointer unless the set has it, and returns its place.
    ///
    /// # Errors
    /// Returns the problem if the set is full.
    pub fn add(&mut self, pointer: Pointer) -> Result<usize, String> {
        if let Some(place) = self.0.iter().position(|known| *known == pointer) {
            return Ok(place);
        }
        if self.0.len() >= MAX_POINTERS {
            return Err(format!("more than {MAX_POINTERS} different JSON pointers"));
        }
        self.0.push(pointer);
        Ok(self.0.len() - 1)
    }

    /// Returns the pointers with their places.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Pointer)> {
        self.0.iter().enumerate()
    }

    /// Returns the number of pointers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The most steps of a pointer.
pub const MAX_STEPS: usize = 8;

/// The most pointers of a set.
const MAX_POINTERS: usize = 32;

/// The most bytes of a pointer.
const MAX_LENGTH: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_unescaped() {
        let pointer = Pointer::parse("/a~1b/m~0n~01//0").unwrap();
        for (depth, key) in ["a/b", "m~n~1", "", "0"].into_iter().enumerate() {
            assert!(pointer.has_key(depth, key.as_bytes()), "{depth}");
        }
        assert_eq!(pointer.depth(), 4);
        assert!(pointer.has_index(3, 0) && !pointer.has_index(2, 0));
        assert!(!pointer.has_key(4, b"") && !pointer.has_index(4, 0));
        assert_eq!(pointer.to_string(), "/a~1b/m~0n~01//0", "it is printed as it is read");
    }

    #[test]
    fn an_index_has_no_leading_zero() {
        let index = |text: &str| Pointer::parse(text).unwrap().steps[0].index;
        assert_eq!((index("/0"), index("/10"), index("/4294967295")), (Some(0), Some(10), Some(u32::MAX)));
        assert_eq!((index("/01"), index("/-"), index("/"), index("/4294967296")), (None, None, None, None));
    }

    #[test]
    fn other_texts_are_refused() {
        let long = "/x".repeat(200);
        for bad in ["", "usage", "#/usage", "/a~", "/a~2", "/1/2/3/4/5/6/7/8/9", long.as_str()] {
            let problem = Pointer::parse(bad).unwrap_err();
            assert!(problem.starts_with("expected a JSON pointer like"), "{problem}");
        }
        assert!(Pointer::parse("/1/2/3/4/5/6/7/8").is_ok());
    }

    #[test]
    fn a_set_keeps_one_of_each() {
        let mut set = Pointers::default();
        let add = |set: &mut Pointers, text: &str| set.add(Pointer::parse(text).unwrap());
        assert_eq!((add(&mut set, "/a"), add(&mut set, "/b"), add(&mut set, "/a")), (Ok(0), Ok(1), Ok(0)));
        for i in 2..32 {
            assert_eq!(add(&mut set, &format!("/{i}")), Ok(i));
        }
        assert!(add(&mut set, "/c").unwrap_err().contains("32"));
        assert_eq!(add(&mut set, "/b"), Ok(1));
    }
}
