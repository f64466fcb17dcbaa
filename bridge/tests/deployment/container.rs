//! `bridge/Dockerfile` matches the repository and the program.

use std::{net::SocketAddr, process::Command};

use crate::{
    PROGRAM, check_variable, context,
    dockerfile::{image, only, stages},
    run, text,
};

#[test]
fn base_images_are_pinned_by_tag_and_digest() {
    for stage in stages() {
        let image = stage[0].words()[0].to_owned();
        let (name, digest) = image.split_once("@sha256:").unwrap_or_else(|| panic!("{image} has no digest"));
        assert!(name.rsplit('/').next().unwrap().contains(':'), "{image} has no tag");
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{image}");
    }
}

#[test]
fn rust_has_the_version_of_the_toolchain_file() {
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    let image = stages()[0][0].arguments.clone();
    assert!(image.starts_with(&format!("rust:{channel}-")), "{image} is not Rust {channel}");
}

#[test]
fn what_is_copied_exists_in_the_context() {
    let context = context::files();
    let mut checked = 0;
    for copy in stages().concat() {
        if copy.name != "COPY" || !copy.flags.is_empty() {
            continue;
        }
        let words = copy.words();
        for source in &words[..words.len() - 1] {
            assert!(*source == "." || context.iter().any(|file| file == source), "{source} is not in the context");
            checked += 1;
        }
    }
    assert!(checked >= 3, "the test reads the sources: {checked}");
}

#[test]
fn the_build_command_works_with_the_context() {
    let build = stages()[0].iter().find(|instruction| instruction.name == "RUN").unwrap().arguments.clone();
    let (cargo, copy) = build.split_once(" && ").unwrap();
    // Checking is faster than building, and reads the same files.
    let arguments = cargo.strip_prefix("cargo build ").unwrap().replace("--release ", "");
    let folder = context::copy();
    let mut check = Command::new(env!("CARGO"));
    check.arg("check").args(["--offline", "--target-dir"]).arg(context::target_folder());
    run(check.args(arguments.split(' ')).current_dir(folder.path()));
    assert!(copy.starts_with("cp target/release/sluicegate-bridge "), "{copy}");
}

#[test]
fn the_image_runs_the_program_that_was_built() {
    let built = stages()[0].last().unwrap().arguments.rsplit(' ').next().unwrap().to_owned();
    let copied = image().into_iter().find(|instruction| instruction.flags == ["from=build"]).unwrap();
    assert_eq!(copied.words()[0], built);
    assert_eq!(only("ENTRYPOINT").json(), [copied.words()[1]]);
}

#[test]
fn the_health_check_is_a_command_of_the_program() {
    let check = only("HEALTHCHECK");
    let command: Vec<String> = serde_json::from_str(check.arguments.strip_prefix("CMD ").unwrap()).unwrap();
    assert_eq!(command[..1], only("ENTRYPOINT").json());
    run(Command::new(PROGRAM).args(&command[1..]).arg("--help"));
}

#[test]
fn the_user_is_not_root() {
    let user = only("USER").arguments;
    let (user, group) = user.split_once(':').unwrap();
    // Numbers, because Kubernetes cannot know that a name is not root.
    assert!(user.parse::<u32>().unwrap() > 0 && group.parse::<u32>().unwrap() > 0);
}

#[test]
fn the_program_stops_at_the_signal() {
    // `tests/program.rs` sends it.
    assert_eq!(only("STOPSIGNAL").arguments, "SIGTERM");
}

#[test]
fn the_exposed_port_is_where_the_program_listens() {
    let variable = only("ENV").arguments;
    let (name, address) = variable.split_once('=').unwrap();
    assert_eq!(name, "SLUICEGATE_BRIDGE_LISTEN");
    check_variable(name);
    let address: SocketAddr = address.parse().unwrap();
    assert!(address.ip().is_unspecified());
    assert_eq!(only("EXPOSE").arguments, address.port().to_string());
}

#[test]
fn no_layer_contains_a_secret() {
    for instruction in stages().concat() {
        let secret = ["TOKEN", "PASSWORD", "SECRET", "_REDIS"].iter().any(|word| instruction.arguments.contains(word));
        assert!(!secret, "{instruction:?}");
        assert!(instruction.name != "ARG", "{instruction:?}: an argument stays in the history of the image");
    }
}
