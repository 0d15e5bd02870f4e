//! Compiles `proto/` in pure Rust (protox), so that no system protoc is needed.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("CARGO_FEATURE_SERVER").is_none() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed=proto");
    serve_dns()?;
    ask_istiod()?;
    remember_objects()?;
    tell_of_messages()
}

/// The service that we offer. Its descriptors are for reflection, and have nothing else in them.
fn serve_dns() -> Result<(), Box<dyn Error>> {
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).open_file("dns.proto")?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("dns_descriptor.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().build_client(true).compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// The service that istiod offers; its server side is for tests.
fn ask_istiod() -> Result<(), Box<dyn Error>> {
    let files = ["discovery.proto", "name_table.proto", "listener.proto"];
    let descriptors = protox::compile(files, ["proto/istiod"])?;
    // Maps in order, so that what is said about a table does not depend on chance.
    tonic_prost_build::configure().btree_map(".").compile_fds(descriptors)?;
    Ok(())
}

/// What stands in a snapshot.
fn remember_objects() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(["meshdns/snapshot/v1/snapshot.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}

/// What is said of DNS messages in dnstap.
fn tell_of_messages() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(["dnstap.proto"], ["proto/dnstap"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
