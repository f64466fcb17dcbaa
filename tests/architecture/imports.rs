//! Which file of a crate imports which: read from the syntax tree, tests left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemMod, ItemUse, UseTree};

/// The path of a module from the root of its crate, for example `["limit", "verdict"]`. The root is empty.
pub(crate) type Module = Vec<String>;

/// The imports between the files of one crate.
pub(crate) struct Imports {
    /// For each module with a file of its own: the file, and the modules it imports from or declares.
    files: BTreeMap<Module, (PathBuf, BTreeSet<Module>)>,
}

impl Imports {
    /// Reads the crate whose root module is in `folder` (`lib.rs`, `main.rs` or both).
    pub(crate) fn of_crate(folder: &Path) -> Self {
        let parsed: Vec<(Module, PathBuf, File)> = rust_files(folder)
            .into_iter()
            .map(|path| {
                let text = fs::read_to_string(&path).unwrap();
                let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                (module_of(folder, &path), path, file)
            })
            .collect();
        let known: BTreeSet<Module> = parsed.iter().map(|(module, ..)| module.clone()).collect();
        let mut files: BTreeMap<Module, (PathBuf, BTreeSet<Module>)> = BTreeMap::new();
        for (module, path, file) in parsed {
            let mut collector = Collector { module: module.clone(), paths: Vec::new() };
            collector.visit_file(&file);
            let targets = collector.paths.iter().filter_map(|path| file_of(path, &known));
            let entry = files.entry(module.clone()).or_insert_with(|| (path, BTreeSet::new()));
            entry.1.extend(targets.filter(|target| *target != module));
        }
        Imports { files }
    }

    /// Every import as a pair of modules: who imports, and from where.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&Module, &Module)> {
        self.files.iter().flat_map(|(from, (_, targets))| targets.iter().map(move |to| (from, to)))
    }

    /// The file of a module.
    pub(crate) fn file(&self, module: &Module) -> &Path {
        &self.files[module].0
    }

    /// The files of a cycle, if there is one: each imports the next, and the last one the first.
    pub(crate) fn cycle(&self) -> Option<Vec<&Path>> {
        let mut done = BTreeSet::new();
        let mut trail = Vec::new();
        self.files.keys().find_map(|module| self.search(module, &mut trail, &mut done))
    }

    fn search<'a>(
        &'a self,
        module: &'a Module,
        trail: &mut Vec<&'a Module>,
        done: &mut BTreeSet<&'a Module>,
    ) -> Option<Vec<&'a Path>> {
        if let Some(start) = trail.iter().position(|seen| *seen == module) {
            return Some(trail[start..].iter().map(|module| self.file(module)).collect());
        }
        if done.contains(module) {
            return None;
        }
        trail.push(module);
        let found = self.files[module].1.iter().find_map(|target| self.search(target, trail, done));
        trail.pop();
        done.insert(module);
        found
    }
}

/// Every Rust file below a folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The module that a file holds.
pub(crate) fn module_of(folder: &Path, file: &Path) -> Module {
    let relative = file.strip_prefix(folder).unwrap().with_extension("");
    let mut module: Module = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    let last = module.last().map(String::as_str);
    if last == Some("mod") || (module.len() == 1 && matches!(last, Some("lib" | "main"))) {
        module.pop();
    }
    module
}

/// The module with a file of its own in which a path ends: the longest beginning of the path that is one.
fn file_of(path: &[String], known: &BTreeSet<Module>) -> Option<Module> {
    (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|module| known.contains(module))
}

/// Collects every path of a file that names something of its own crate.
struct Collector {
    module: Module,
    /// From the root of the crate.
    paths: Vec<Vec<String>>,
}

impl Collector {
    /// Adds a path as written, if it begins with `crate`, `self` or `super`.
    fn add(&mut self, written: &[String]) {
        let mut base = match written.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            _ => return,
        };
        for part in written {
            match part.as_str() {
                "crate" | "self" => {}
                "super" => drop(base.pop()),
                name => base.push(name.to_owned()),
            }
        }
        self.paths.push(base);
    }

    fn add_tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before)),
            UseTree::Name(name) => self.add(&[&before[..], &[name.ident.to_string()]].concat()),
            UseTree::Rename(rename) => self.add(&[&before[..], &[rename.ident.to_string()]].concat()),
            UseTree::Glob(_) => self.add(before),
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).is_some_and(|attributes| attributes.iter().any(is_test)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, &mut Vec::new());
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.paths.push([&self.module[..], &[item.ident.to_string()]].concat());
        visit::visit_item_mod(self, item);
    }

    /// `pub(super)` names a module, but imports nothing from it.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let written: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&written);
        visit::visit_path(self, path);
    }
}

fn attributes(item: &Item) -> Option<&[Attribute]> {
    match item {
        Item::Mod(item) => Some(&item.attrs),
        Item::Fn(item) => Some(&item.attrs),
        Item::Use(item) => Some(&item.attrs),
        _ => None,
    }
}

/// Whether an attribute is `#[cfg(test)]`.
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
}
