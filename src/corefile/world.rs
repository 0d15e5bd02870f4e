//! What a Corefile refers to and does not contain.

/// The files and variables around a Corefile.
pub trait World {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The files that a pattern of `import` stands for, in the order of their names, each by a path that [`World::text`]
    /// takes. A relative pattern is meant from the directory of the file `from`. A pattern without a wildcard gives the
    /// file if it exists, and nothing otherwise.
    fn matching(&self, from: &str, pattern: &str) -> Result<Vec<String>, String>;

    /// The text of a file, or why it cannot be read.
    fn text(&self, path: &str) -> Result<String, String>;
}

/// A world without files and variables.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

impl World for Nowhere {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn matching(&self, _from: &str, _pattern: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    fn text(&self, path: &str) -> Result<String, String> {
        Err(format!("{path} does not exist"))
    }
}
