//! Compiles `proto/` in pure Rust (protox), so that no system protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os("CARGO_FEATURE_SERVER").is_none() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(["proto/dns.proto"], ["proto"])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    tonic_prost_build::configure()
        .build_client(true)
        .file_descriptor_set_path(out.join("dns_descriptor.bin"))
        .compile_fds(descriptors)?;
    Ok(())
}
